// SPDX-License-Identifier: Apache-2.0

/// Counts of the marks of YAML's syntax in a text, taken without parsing it.
///
/// It knows neither quotes nor block scalars, so it takes text for syntax where in doubt: counts are
/// upper bounds, and a key that is no scalar is never missed.
struct YAMLIndicators {
  /// `,` `:` `-` `[` `{` `?`: each value beyond the first needs one.
  private(set) var indicators = 0
  private(set) var anchors = 0
  private(set) var aliases = 0
  /// The first line with what may be a key that is no scalar.
  private(set) var complexKeyLine: Int?

  private var line: Int
  /// Whether an alias or the end of a flow collection was the last token: a colon makes it a key.
  private var canBecomeKey = false
  private var isInAlias = false
  private var hasFlowMapping = false
  private var isInComment = false
  /// The last byte of the token before, which says whether a key or a value follows.
  private var lastOfToken = UInt8(ascii: ":")
  /// Whether the current token is a tag or an anchor, which says nothing about what follows.
  private var isInProperty = false

  init(firstLine: Int) { line = firstLine }

  mutating func run(over text: UnsafeBufferPointer<UInt8>) {
    var previous = UInt8(ascii: "\n")
    for (offset, byte) in text.enumerated() {
      let next = offset + 1 < text.count ? text[offset + 1] : UInt8(ascii: "\n")
      visit(byte, previous: previous, next: next)
      previous = byte
    }
  }

  private mutating func visit(_ byte: UInt8, previous: UInt8, next: UInt8) {
    let startsToken = Self.canPrecedeToken(previous)
    if startsToken { isInProperty = byte == UInt8(ascii: "!") || byte == UInt8(ascii: "&") }
    switch byte {
    case UInt8(ascii: "\n"):
      line += 1
      (isInAlias, canBecomeKey, isInComment) = (false, false, false)
      return
    case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
      isInAlias = false
      return
    case UInt8(ascii: "#") where startsToken:
      // Or inside of quotes: what comes before the next token is not known any more.
      isInComment = true
    case UInt8(ascii: "&") where startsToken: anchors += 1
    case UInt8(ascii: "*") where startsToken:
      aliases += 1
      noteOpening()
      (isInAlias, canBecomeKey) = (true, true)
    case UInt8(ascii: "["), UInt8(ascii: "{"):
      indicators += 1
      noteOpening()
      if byte == UInt8(ascii: "{") { hasFlowMapping = true }
      canBecomeKey = false
    case UInt8(ascii: "]"), UInt8(ascii: "}"): canBecomeKey = true
    case UInt8(ascii: ":"):
      indicators += 1
      if canBecomeKey { complexKeyLine = complexKeyLine ?? line }
      canBecomeKey = false
    case UInt8(ascii: "?") where startsToken:
      indicators += 1
      if " \t\r\n[{*&!".utf8.contains(next) { complexKeyLine = complexKeyLine ?? line }
    case UInt8(ascii: ","), UInt8(ascii: "-"):
      indicators += 1
      if !isInAlias { canBecomeKey = false }
    default:
      if !isInAlias { canBecomeKey = false }
    }
    if !isInProperty { lastOfToken = isInComment ? UInt8(ascii: "#") : byte }
  }

  /// An alias, a list or an object begins: a key without a colon, if it stands in a flow mapping and
  /// neither behind a colon nor first in a flow sequence.
  private mutating func noteOpening() {
    let isValue =
      lastOfToken == UInt8(ascii: ":") || lastOfToken == UInt8(ascii: "[")
      || lastOfToken == UInt8(ascii: "-")
    if hasFlowMapping, !isValue { complexKeyLine = complexKeyLine ?? line }
  }

  /// White space, the line breaks of YAML 1.1 and the marks after which a token may begin.
  private static func canPrecedeToken(_ byte: UInt8) -> Bool {
    " \t\r\n[]{},:-?\"'".utf8.contains(byte) || byte == 0x85 || byte == 0xA8 || byte == 0xA9
  }
}
