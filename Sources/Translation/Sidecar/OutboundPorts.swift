// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// The ports that a sidecar listens on for the services that its workload may call.
struct OutboundPorts {
  /// The services with HTTP on a port, told apart by the host that a request names.
  struct HTTPPort {
    var egress: EgressScope
    var number: UInt16
    /// By host name.
    var services: [Service]
  }

  /// The services with TLS on a port, told apart by the name that a client greets with.
  struct TLSPort {
    var egress: EgressScope
    var number: UInt16
    /// By host name.
    var services: [Service]
  }

  /// A port of a service that is told apart from others by its address.
  struct TCPPort {
    var egress: EgressScope
    var service: Service
    /// `0.0.0.0` for a service that has no address and is the only one on its port.
    var address: String
    var number: UInt16
    /// Whether nobody says what is spoken, so that the proxy looks at the first bytes.
    var isDetected: Bool
  }

  /// By port.
  private(set) var http: [HTTPPort] = []
  /// By port.
  private(set) var tls: [TLSPort] = []
  /// By address, then port.
  private(set) var tcp: [TCPPort] = []
  private(set) var problems: [ConfigError] = []

  /// Ports of the sidecar itself, which must not be opened a second time.
  private static let reserved: Set = [
    SidecarListeners.outboundPort, SidecarListeners.inboundPort,
  ]

  private var taken: Set<UInt16> = []

  init(_ scope: ProxyScope) {
    let explicit = scope.egress.filter { $0.listener?.port != nil }
    taken = Set(explicit.compactMap { $0.listener?.port?.number })
    for egress in explicit {
      guard let port = egress.listener?.port else { continue }
      add(egress, port)
    }
    for egress in scope.egress where egress.listener?.port == nil {
      add(egress, isIntercepted: scope.isIntercepted)
    }
    http.sort { $0.number < $1.number }
    tls.sort { $0.number < $1.number }
    tcp.sort { ($0.address, $0.number) < ($1.address, $1.number) }
  }

  /// A listener that the Sidecar resource names: its protocol is that of the listener.
  private mutating func add(_ egress: EgressScope, _ port: Sidecar.Port) {
    if port.portProtocol.isHTTP {
      http.append(HTTPPort(egress: egress, number: port.number, services: egress.services))
    } else if port.portProtocol == .tls || port.portProtocol == .https {
      tls.append(TLSPort(egress: egress, number: port.number, services: egress.services))
    } else if let service = egress.services.first {
      for other in egress.services.dropFirst() {
        report(other, .conflict, "port \(port.number) already belongs to \(service.hostname)")
      }
      tcp.append(
        TCPPort(
          egress: egress, service: service, address: "0.0.0.0", number: port.number,
          isDetected: port.portProtocol == .unspecified))
    }
  }

  /// All ports of the services that no listener is named for.
  private mutating func add(_ egress: EgressScope, isIntercepted: Bool) {
    var byPort: [UInt16: [Service]] = [:]
    var secured: [UInt16: [Service]] = [:]
    var byAddress: [String: TCPPort] = [:]
    var unaddressed: [(Service, Service.Port)] = []
    for service in egress.services {
      for port in service.ports where port.portProtocol != .udp && !taken.contains(port.number) {
        guard !Self.reserved.contains(port.number) else {
          report(service, .unsupported, "port \(port.number) is one of the sidecar's own")
          continue
        }
        if port.portProtocol.isHTTP || (!isIntercepted && port.portProtocol == .unspecified) {
          byPort[port.number, default: []].append(service)
          continue
        }
        let addresses = Self.addresses(of: service, on: port)
        if addresses.isEmpty {
          if port.portProtocol == .tls || port.portProtocol == .https {
            secured[port.number, default: []].append(service)
          } else {
            unaddressed.append((service, port))
          }
        }
        guard isIntercepted || addresses.isEmpty else {
          report(
            service, .unsupported,
            "port \(port.number) is \(port.portProtocol.rawValue): without redirection its address "
              + "does not lead to the proxy")
          continue
        }
        for address in addresses {
          // The first of two services with one address keeps it.
          let key = "\(address)_\(port.number)"
          if let former = byAddress[key] {
            report(
              service, .conflict,
              "\(address):\(port.number) already belongs to \(former.service.hostname)")
          } else {
            byAddress[key] = TCPPort(
              egress: egress, service: service, address: address, number: port.number,
              isDetected: port.portProtocol == .unspecified)
          }
        }
      }
    }
    for (number, services) in secured.sorted(by: { $0.key < $1.key }) {
      if let former = byPort[number]?.first {
        for service in services { reportShared(service, number, former) }
      } else {
        tls.append(TLSPort(egress: egress, number: number, services: services))
      }
    }
    var owners = byPort.compactMapValues(\.first)
    owners.merge(secured.compactMapValues(\.first)) { first, _ in first }
    for (service, port) in unaddressed {
      if let former = owners[port.number] {
        reportShared(service, port.number, former)
        continue
      }
      owners[port.number] = service
      tcp.append(
        TCPPort(
          egress: egress, service: service, address: "0.0.0.0", number: port.number,
          isDetected: port.portProtocol == .unspecified))
    }
    http += byPort.map { HTTPPort(egress: egress, number: $0.key, services: $0.value) }
    tcp += byAddress.values
  }

  /// What clients of a service connect to: its addresses, or the endpoints of a headless one.
  private static func addresses(of service: Service, on port: Service.Port) -> [String] {
    let addresses = service.addresses.filter(IPAddress.isValid)
    guard addresses.isEmpty, service.isHeadless else { return addresses }
    let endpoints = service.endpoints.filter { $0.isHealthy && $0.ports[port.number] != nil }
    return Set(endpoints.map(\.address)).filter(IPAddress.isValid).sorted()
  }

  private mutating func reportShared(_ service: Service, _ number: UInt16, _ former: Service) {
    report(
      service, .unsupported,
      "the service has no single IP address to tell its port \(number) apart from that of "
        + "\(former.hostname); sidecars treat its connections as unknown traffic")
  }

  private mutating func report(
    _ service: Service, _ code: ConfigError.Code, _ reason: String
  ) {
    let origin = service.origins.first
    problems.append(
      ConfigError(
        code, severity: .warning, object: origin?.object, at: origin?.path ?? FieldPath(),
        reason: reason))
  }
}

extension Service {
  /// A Kubernetes Service without an address: its clients connect to an endpoint of their choice.
  var isHeadless: Bool { isKubernetes && resolution == .none }
}
