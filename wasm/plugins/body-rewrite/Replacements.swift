// SPDX-License-Identifier: Apache-2.0
// Texts and what comes in their place. A body is read from front to back once; where a piece of it
// ends within what may become a text, the rest is left for the next piece, so the result does not
// depend on how the body was cut.

struct Replacements {
  private let pairs: [(find: [UInt8], replacement: [UInt8])]
  /// Whether some text begins with this byte: most places are passed over with one look.
  private let begins: [Bool]

  init(_ json: JSON) throws(PluginError) {
    var pairs: [(find: [UInt8], replacement: [UInt8])] = []
    var begins = [Bool](repeating: false, count: 256)
    for pair in try json.array() {
      let find = [UInt8](try pair["find"].string().utf8)
      guard let first = find.first else {
        throw pair["find"].expected("a text of at least one byte")
      }
      pairs.append((find, [UInt8](try pair["replace"].string().utf8)))
      begins[Int(first)] = true
    }
    guard !pairs.isEmpty else { throw json.expected("at least one replacement") }
    self.pairs = pairs
    self.begins = begins
  }

  struct Result {
    var output: [UInt8] = []
    /// How much of the input's end has to wait for what follows; less than the longest text.
    var waiting = 0
  }

  /// Rewrites a piece of a body; the `last` one leaves nothing waiting.
  func rewrite(_ input: [UInt8], last: Bool) -> Result {
    var result = Result()
    result.output.reserveCapacity(input.count)
    var (index, copied) = (0, 0)
    while index < input.count {
      guard begins[Int(input[index])] else {
        index += 1
        continue
      }
      switch look(at: index, in: input) {
      case .nothing:
        index += 1
      case .cutOff where last:
        // The whole text will not come, but a later one in the list may be here.
        guard let pair = pairs.first(where: { Self.stands($0.find, at: index, in: input) }) else {
          index += 1
          continue
        }
        replace(pair)
      case .cutOff:
        result.output.append(contentsOf: input[copied..<index])
        result.waiting = input.count - index
        return result
      case .found(let pair):
        replace(pair)
      }
    }
    result.output.append(contentsOf: input[copied...])
    return result

    func replace(_ pair: (find: [UInt8], replacement: [UInt8])) {
      result.output.append(contentsOf: input[copied..<index])
      result.output.append(contentsOf: pair.replacement)
      index += pair.find.count
      copied = index
    }
  }

  private enum Sight {
    case nothing
    case cutOff
    case found((find: [UInt8], replacement: [UInt8]))
  }

  /// What is at a place: the first pair in the list that stands there, or might once more is known.
  private func look(at index: Int, in input: [UInt8]) -> Sight {
    for pair in pairs {
      if Self.stands(pair.find, at: index, in: input) { return .found(pair) }
      let rest = input.count - index
      if rest < pair.find.count, pair.find.starts(with: input[index...]) { return .cutOff }
    }
    return .nothing
  }

  private static func stands(_ text: [UInt8], at index: Int, in input: [UInt8]) -> Bool {
    guard input.count - index >= text.count else { return false }
    for offset in text.indices where input[index + offset] != text[offset] { return false }
    return true
  }
}
