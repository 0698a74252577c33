// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

/// `/debug/registryz`: the services that routes can lead to.
enum RegistryPage {
  static func json(_ services: [Service]) -> JSONValue { .array(services.map(row)) }

  private static func row(_ service: Service) -> JSONValue {
    [
      "hostname": .string(service.hostname),
      "namespace": .string(service.namespace),
      "addresses": .array(service.addresses.map(JSONValue.string)),
      "resolution": .string(service.resolution.rawValue),
      "meshExternal": .bool(!service.isMeshInternal),
      "ports": .array(
        service.ports.map { port in
          [
            "port": .integer(port.number), "name": .string(port.name),
            "protocol": .string(port.portProtocol.rawValue),
          ]
        }),
      "endpoints": .array(
        service.endpoints.map { endpoint in
          [
            "address": .string(endpoint.address),
            "ports": .object(
              pairs: endpoint.ports.sorted { $0.key < $1.key }
                .map { ("\($0.key)", .integer($0.value)) }),
            "healthy": .bool(endpoint.isHealthy), "locality": .string(endpoint.locality),
            "weight": .integer(endpoint.weight),
          ]
        }),
      "objects": .array(service.origins.map { .string("\($0)") }),
    ]
  }
}
