// SPDX-License-Identifier: Apache-2.0

package import JSON

/// How far an object has come, by the conditions that skiffd writes into its status.
package enum RolloutStage: Hashable, Sendable {
  /// Nothing is known of this generation yet.
  case unknown
  /// Some proxies run it.
  case pending(programmed: Int, total: Int)
  /// All proxies that depend on it run it.
  case programmed(Int)
  /// No connected proxy depends on it.
  case unused
  /// Envoy's own words.
  case rejected(String)
  /// It is not in force as it is written.
  case refused(String)
  case deleted

  /// Of an object as the server shows it.
  package init(of object: JSONValue) {
    let programmed = ObjectCondition("Programmed", of: object)
    if let rejected = ObjectCondition("Rejected", of: object), rejected.isTrue {
      self = .rejected(rejected.message)
    } else if let accepted = ObjectCondition("Accepted", of: object), !accepted.isTrue,
      accepted.reason == "Invalid"
    {
      self = .refused(accepted.message)
    } else if let programmed {
      let (count, total) = Self.counts(object, programmed.message)
      if programmed.isTrue {
        self = .programmed(total)
      } else if programmed.reason == "NoProxies" {
        self = .unused
      } else {
        self = total == 0 ? .unknown : .pending(programmed: count, total: total)
      }
    } else {
      self = .unknown
    }
  }

  /// `status.proxies`, else the numbers of `2 of 3 proxies run it; …`.
  private static func counts(_ object: JSONValue, _ message: String) -> (Int, Int) {
    let proxies = object["status"]?["proxies"]
    if let count = proxies?["programmed"]?.integerValue, let total = proxies?["total"]?.integerValue
    {
      return (Int(count), Int(total))
    }
    let numbers = message.prefix { $0 != ";" }.split(separator: " ").compactMap { Int($0) }
    return numbers.count == 2 ? (numbers[0], numbers[1]) : (0, 0)
  }

  /// Whether nothing more is to be expected of it.
  package var isSettled: Bool {
    switch self {
    case .unknown, .pending: false
    case .programmed, .unused, .rejected, .refused, .deleted: true
    }
  }

  /// `7/12`; empty where there are no numbers.
  package var fraction: String {
    switch self {
    case .pending(let count, let total): "\(count)/\(total)"
    case .programmed(let total): "\(total)/\(total)"
    case .unknown, .unused, .rejected, .refused, .deleted: ""
    }
  }
}
