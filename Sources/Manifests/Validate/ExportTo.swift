// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension Fields {
  /// The namespaces of `exportTo`: `.`, `*`, names, and `~` where the kind can be exported to nobody.
  ///
  /// Empty where it is not written or where nothing of it is good.
  func exports(from namespace: String, mayHide: Bool = false) -> [String] {
    let values = each("exportTo") { node in
      problems.catching { () throws(ConfigError) in
        let value = try node.text()
        if value == "." || value == "*" || (mayHide && value == "~") { return (node.path, value) }
        if let fault = DNSName.labelFault(value) { throw node.invalid("\"\(value)\" \(fault)") }
        return (node.path, value)
      }
    }
    var seen: Set<String> = []
    for (path, value) in values {
      let name = value == namespace ? "." : value
      if !seen.insert(name).inserted {
        problems.error(.conflict, at: path, "\(value) is already listed")
      } else if values.count > 1, value == "*" || value == "~" {
        problems.error(.conflict, at: path, "\(value) may not stand beside other namespaces")
      }
    }
    return values.map(\.1)
  }
}
