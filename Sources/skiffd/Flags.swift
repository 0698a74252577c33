// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import ControlPlane
import Foundation
public import Logging
import MeshModel

/// A length of time on the command line, as Go writes it: `100ms`, `1m30s`.
struct FlagDuration: ExpressibleByArgument, CustomStringConvertible {
  var value: Duration

  init(_ value: Duration) { self.value = value }

  init?(argument: String) {
    guard let value = Duration(goString: argument), value >= .zero else { return nil }
    self.value = value
  }

  var description: String { value.goString }
}

extension ListenAddress: ExpressibleByArgument {
  init?(argument: String) { self.init(argument) }
}

extension Settings.LogFormat: ExpressibleByArgument {}

extension Logger.Level: @retroactive ExpressibleByArgument {}

extension Skiffd {
  /// What the environment says, as arguments, for the flags that the command line leaves out.
  static func environmentArguments(
    besides arguments: [String],
    in environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> [String] {
    let options = [
      "config-dir", "grpc-address", "http-address", "monitoring-address", "log-level",
      "log-format", "debounce-after", "debounce-max",
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
