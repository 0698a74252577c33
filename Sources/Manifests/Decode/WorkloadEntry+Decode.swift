// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension WorkloadEntry {
  /// Reads `spec` (https://istio.io/latest/docs/reference/config/networking/workload-entry/).
  static func decode(_ spec: Node, _ meta: ObjectMeta, _ problems: Problems) -> WorkloadEntry? {
    guard var endpoint = ServiceEntry.WorkloadEndpoint.decode(spec, problems) else { return nil }
    let path = spec.path["address"]
    let address = endpoint.address
    if address.hasPrefix("unix://") {
      if !endpoint.ports.isEmpty {
        problems.error(.conflict, at: spec.path["ports"], "may not be set for a Unix domain socket")
      }
    } else if !IPAddress.isAddress(address),
      let fault = DNSName.hostFault(address, wildcard: false)
    {
      problems.error(at: path, "\"\(address)\" \(fault)")
    }
    endpoint.labels.merge(meta.labels) { $1 }
    return WorkloadEntry(meta: meta, endpoint: endpoint)
  }
}

extension Pod {
  /// Reads `status` of the whole object; everything else of a Pod is Kubernetes' own matter.
  static func decode(_ root: Node, _ meta: ObjectMeta, _ problems: Problems) -> Pod? {
    let status = root["status"]
    func text(_ node: Node?) -> String? {
      node.flatMap { node in problems.catching { () throws(ConfigError) in try node.string() } }
    }
    var addresses: [String] = []
    let list = status?["podIPs"].flatMap { node in
      problems.catching { () throws(ConfigError) in try node.list() }
    }
    for address in (list ?? []).map({ text($0["ip"]) }) + [text(status?["podIP"])] {
      if let address, !address.isEmpty, !addresses.contains(address) { addresses.append(address) }
    }
    let conditions = status?["conditions"].flatMap { node in
      problems.catching { () throws(ConfigError) in try node.list() }
    }
    let ready = conditions?.first { text($0["type"]) == "Ready" }
    let phase = text(status?["phase"]) ?? ""
    let isRunning = phase.isEmpty || phase == "Running"
    let isDeleted = root["metadata"]?["deletionTimestamp"] != nil
    let isReady = ready.map { text($0["status"]) == "True" } ?? true
    // Pods in the network of their node share its address, which identifies none of them.
    let hasHostNetwork = root["spec"]?["hostNetwork"]?.value.content == .bool(true)
    return Pod(
      meta: meta, addresses: hasHostNetwork ? [] : addresses,
      isReady: isRunning && !isDeleted && isReady)
  }
}
