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

  /// A port whose bytes are forwarded as they are.
  struct StreamPort {
    /// A service behind it.
    struct Member {
      enum Reading {
        case tls
        case tcp
        /// Nobody says what is spoken, so that the proxy looks at the first bytes.
        case detected

        init(_ portProtocol: ServiceProtocol) {
          switch portProtocol {
          case .tls, .https: self = .tls
          case .unspecified: self = .detected
          default: self = .tcp
          }
        }
      }

      var service: Service
      var reading: Reading
      /// The networks that its clients connect to, where it has no address of its own.
      var ranges: [AddressRange] = []
    }

    var egress: EgressScope
    /// `0.0.0.0` where the services have no address of their own.
    var address: String
    var number: UInt16
    /// By host name; told apart by the name that a client greets with, or by their networks.
    var members: [Member]

    var isShared: Bool { address == OutboundPorts.wildcard }
  }

  fileprivate static let wildcard = "0.0.0.0"

  /// By port.
  private(set) var http: [HTTPPort] = []
  /// By address, then port.
  private(set) var streams: [StreamPort] = []
  private(set) var problems: [ConfigError] = []

  /// Ports of the sidecar itself, which must not be opened a second time.
  private let reserved: Set<UInt16>

  private var taken: Set<UInt16> = []

  init(_ scope: ProxyScope) {
    let meshConfig = scope.mesh.meshConfig
    reserved = [meshConfig.proxyListenPort, meshConfig.proxyInboundListenPort]
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
    streams.sort { ($0.address, $0.number) < ($1.address, $1.number) }
  }

  /// A listener that the Sidecar resource names: its protocol is that of the listener.
  private mutating func add(_ egress: EgressScope, _ port: Sidecar.Port) {
    if port.portProtocol.isHTTP {
      http.append(HTTPPort(egress: egress, number: port.number, services: egress.services))
      return
    }
    let reading = StreamPort.Member.Reading(port.portProtocol)
    var services = egress.services
    if reading != .tls, let first = services.first {
      for other in services.dropFirst() {
        report(other, .conflict, "port \(port.number) already belongs to \(first.hostname)")
      }
      services = [first]
    }
    guard !services.isEmpty else { return }
    streams.append(
      StreamPort(
        egress: egress, address: Self.wildcard, number: port.number,
        members: services.map { StreamPort.Member(service: $0, reading: reading) }))
  }

  /// All ports of the services that no listener is named for.
  private mutating func add(_ egress: EgressScope, isIntercepted: Bool) {
    var byPort: [UInt16: [Service]] = [:]
    var byAddress: [String: StreamPort] = [:]
    // Those that have a name or networks for others to know them by.
    var shared: [UInt16: [StreamPort.Member]] = [:]
    var unaddressed: [(UInt16, StreamPort.Member)] = []
    for service in egress.services {
      for port in service.ports where port.portProtocol != .udp && !taken.contains(port.number) {
        guard !reserved.contains(port.number) else {
          report(service, .unsupported, "port \(port.number) is one of the sidecar's own")
          continue
        }
        if port.portProtocol.isHTTP || (!isIntercepted && port.portProtocol == .unspecified) {
          byPort[port.number, default: []].append(service)
          continue
        }
        var member = StreamPort.Member(service: service, reading: .init(port.portProtocol))
        let addresses = Self.addresses(of: service, on: port)
        member.ranges = service.addresses.compactMap(AddressRange.init).filter(\.isNetwork)
        guard isIntercepted || addresses.isEmpty && member.ranges.isEmpty else {
          report(
            service, .unsupported,
            "port \(port.number) is \(port.portProtocol.rawValue): without redirection its address "
              + "does not lead to the proxy")
          continue
        }
        if !member.ranges.isEmpty || addresses.isEmpty && member.reading == .tls {
          shared[port.number, default: []].append(member)
        } else if addresses.isEmpty {
          unaddressed.append((port.number, member))
        }
        member.ranges = []
        for address in addresses {
          // The first of two services with one address keeps it.
          let key = "\(address)_\(port.number)"
          if let former = byAddress[key]?.members.first {
            report(
              service, .conflict,
              "\(address):\(port.number) already belongs to \(former.service.hostname)")
          } else {
            byAddress[key] = StreamPort(
              egress: egress, address: address, number: port.number, members: [member])
          }
        }
      }
    }
    http += byPort.map { HTTPPort(egress: egress, number: $0.key, services: $0.value) }
    streams += byAddress.values
    for (number, members) in shared {
      guard let former = byPort[number]?.first else { continue }
      for member in members { reportShared(member.service, number, former) }
      shared[number] = nil
    }
    for (number, member) in unaddressed {
      // Without a name or networks there can be one, for what the others do not take.
      let former =
        byPort[number]?.first
        ?? shared[number]?.first { $0.reading == .tls || $0.ranges.isEmpty }?.service
      if let former {
        reportShared(member.service, number, former)
      } else {
        shared[number, default: []].append(member)
      }
    }
    streams += shared.map { number, members in
      StreamPort(egress: egress, address: Self.wildcard, number: number, members: members)
    }
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
