// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// The ports that a sidecar listens on for the services that its workload may call.
struct OutboundPorts {
  /// A port of a service that is told apart from others by its address.
  struct TCPPort {
    var service: Service
    var address: String
    var number: UInt16
  }

  /// The services with HTTP on a port, by host name; by port.
  private(set) var http: [(UInt16, [Service])] = []
  /// By address, then port.
  private(set) var tcp: [TCPPort] = []
  private(set) var problems: [ConfigError] = []

  /// Ports of the sidecar itself, which must not be opened a second time.
  private static let reserved: Set = [
    SidecarListeners.outboundPort, SidecarListeners.inboundPort,
  ]

  init(_ services: [Service]) {
    var byPort: [UInt16: [Service]] = [:]
    var byAddress: [String: TCPPort] = [:]
    for service in services {
      for port in service.ports where port.portProtocol != .udp {
        guard !Self.reserved.contains(port.number) else {
          report(service, .unsupported, "port \(port.number) is one of the sidecar's own")
          continue
        }
        guard !port.portProtocol.isHTTP else {
          byPort[port.number, default: []].append(service)
          continue
        }
        let addresses = service.addresses.filter(IPAddress.isValid)
        if addresses.isEmpty {
          report(
            service, .unsupported,
            "port \(port.number) is \(port.portProtocol.rawValue) and the service has no single "
              + "IP address to tell it apart; sidecars treat its connections as unknown traffic")
        }
        for address in addresses {
          // The first of two services with one address keeps it.
          let key = "\(address)_\(port.number)"
          if let former = byAddress[key] {
            report(
              service, .conflict,
              "\(address):\(port.number) already belongs to \(former.service.hostname)")
          } else {
            byAddress[key] = TCPPort(service: service, address: address, number: port.number)
          }
        }
      }
    }
    http = byPort.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    tcp = byAddress.values.sorted { ($0.address, $0.number) < ($1.address, $1.number) }
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
