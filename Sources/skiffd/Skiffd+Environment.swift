// SPDX-License-Identifier: Apache-2.0

import Foundation

extension Skiffd {
  /// What the environment says, as arguments, for the flags that the command line leaves out.
  static func environmentArguments(
    besides arguments: [String],
    in environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> [String] {
    let options = [
      "config-dir", "mesh-config", "grpc-address", "http-address", "monitoring-address",
      "log-level", "log-format", "debounce-after", "debounce-max", "api-address", "data-dir",
      "api-tls-cert", "api-tls-key", "api-token-file",
    ]
    func value(of flag: String) -> String? {
      let isGiven = arguments.contains { $0 == "--\(flag)" || $0.hasPrefix("--\(flag)=") }
      let name = "SKIFF_" + flag.uppercased().replacingOccurrences(of: "-", with: "_")
      return isGiven ? nil : environment[name]
    }
    var found: [String] = []
    for option in options {
      guard let text = value(of: option) else { continue }
      let values = option == "config-dir" ? text.split(separator: ":").map(String.init) : [text]
      for value in values { found += ["--\(option)", value] }
    }
    if value(of: "allow-plaintext") == "true" { found.append("--allow-plaintext") }
    return found
  }
}
