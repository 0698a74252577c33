// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Logging
package import MeshModel
package import Serving

/// A length of time on the command line, as Go writes it: `100ms`, `1m30s`.
package struct FlagDuration: ExpressibleByArgument, CustomStringConvertible {
  package var value: Duration

  package init(_ value: Duration) { self.value = value }

  package init?(argument: String) {
    guard let value = Duration(goString: argument), value >= .zero else { return nil }
    self.value = value
  }

  package var description: String { value.goString }
}

/// `key=value` on the command line.
package struct Pair: ExpressibleByArgument, Hashable, Sendable {
  package var key: String
  package var value: String

  package init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { return nil }
    key = String(parts[0])
    value = String(parts[1])
  }
}

/// `k=v,k=v` on the command line.
package struct Labels: ExpressibleByArgument, CustomStringConvertible {
  package var pairs: [String: String] = [:]

  package init() {}

  package init?(argument: String) {
    for text in argument.split(separator: ",") {
      guard let pair = Pair(argument: String(text)) else { return nil }
      pairs[pair.key] = pair.value
    }
  }

  package var description: String {
    pairs.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
  }
}

extension HostPort: ExpressibleByArgument {
  package init?(argument: String) { self.init(argument) }
}

extension Proxy.Role: ExpressibleByArgument {}
extension LogFormat: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}
