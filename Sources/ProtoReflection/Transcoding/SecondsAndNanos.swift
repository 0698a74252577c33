// SPDX-License-Identifier: Apache-2.0

/// Seconds and nanoseconds, as `google.protobuf.Duration` and `Timestamp` have them.
struct SecondsAndNanos: Hashable, Comparable, Sendable {
  var seconds: Int64
  var nanos: Int32

  static func < (a: Self, b: Self) -> Bool { (a.seconds, a.nanos) < (b.seconds, b.nanos) }

  /// Some 10,000 years either way.
  private static let durationLimit: Int64 = 315_576_000_000

  var isValidDuration: Bool {
    seconds.magnitude <= Self.durationLimit.magnitude && nanos.magnitude < 1_000_000_000
      && (seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0))
  }

  /// From year 1 to year 9999.
  var isValidTimestamp: Bool {
    (-62_135_596_800...253_402_300_799).contains(seconds) && (0..<1_000_000_000).contains(nanos)
  }

  /// A duration such as `1.500s`; one that is not valid is shown as its two numbers.
  var durationText: String {
    guard isValidDuration else { return parts }
    let sign = seconds < 0 || nanos < 0 ? "-" : ""
    return "\(sign)\(seconds.magnitude)\(Self.fraction(Int32(nanos.magnitude)))s"
  }

  /// A timestamp such as `2024-02-29T12:00:00.500Z`, in UTC; one that is not valid is shown as its
  /// two numbers.
  var timestampText: String {
    guard isValidTimestamp else { return parts }
    let days = seconds.flooredQuotient(by: 86_400)
    let second = Int(seconds - days * 86_400)
    let (year, month, day) = Self.date(ofDay: days)
    let date = "\(Self.pad(year, 4))-\(Self.pad(month, 2))-\(Self.pad(day, 2))"
    let clock = [second / 3600, second / 60 % 60, second % 60].map { Self.pad($0, 2) }
    return "\(date)T\(clock.joined(separator: ":"))\(Self.fraction(nanos))Z"
  }

  private var parts: String { "\(seconds) seconds and \(nanos) nanoseconds" }

  /// Parses `1.5s`: at most nine decimals, the unit always.
  init?(durationText text: String) {
    guard text.utf8.last == UInt8(ascii: "s") else { return nil }
    var rest = text.dropLast()
    let isNegative = rest.first == "-"
    if isNegative { rest = rest.dropFirst() }
    let parts = rest.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first, Self.isDigits(whole), let seconds = Int64(whole) else {
      return nil
    }
    var nanos: Int32 = 0
    if parts.count == 2 {
      guard let parsed = Self.nanos(parts[1]) else { return nil }
      nanos = parsed
    }
    self.init(seconds: isNegative ? -seconds : seconds, nanos: isNegative ? -nanos : nanos)
    guard isValidDuration else { return nil }
  }

  init(seconds: Int64, nanos: Int32) {
    self.seconds = seconds
    self.nanos = nanos
  }

  /// Parses RFC 3339 with an offset.
  ///
  /// https://www.rfc-editor.org/rfc/rfc3339#section-5.6
  init?(timestampText text: String) {
    let bytes = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int? {
      guard range.upperBound <= bytes.count else { return nil }
      var value = 0
      for byte in bytes[range] {
        guard (0x30...0x39).contains(byte) else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      return value
    }
    func has(_ character: Unicode.Scalar, at index: Int) -> Bool {
      index < bytes.count && bytes[index] == UInt8(ascii: character)
    }
    guard let year = number(0..<4), has("-", at: 4), let month = number(5..<7), has("-", at: 7),
      let day = number(8..<10), has("T", at: 10), let hour = number(11..<13), has(":", at: 13),
      let minute = number(14..<16), has(":", at: 16), let second = number(17..<19),
      year > 0, (1...12).contains(month), (1...Self.daysInMonth(month, of: year)).contains(day),
      hour < 24, minute < 60, second < 60
    else { return nil }
    var position = 19
    var nanos: Int32 = 0
    if has(".", at: position) {
      let end = bytes[20...].firstIndex { !(0x30...0x39).contains($0) } ?? bytes.count
      guard let parsed = Self.nanos(String(decoding: bytes[20..<end], as: UTF8.self)[...]) else {
        return nil
      }
      nanos = parsed
      position = end
    }
    var offset = 0
    if has("Z", at: position) {
      position += 1
    } else if has("+", at: position) || has("-", at: position) {
      guard let hours = number(position + 1..<position + 3), has(":", at: position + 3),
        let minutes = number(position + 4..<position + 6), hours < 24, minutes < 60
      else { return nil }
      offset = (hours * 60 + minutes) * (has("-", at: position) ? -60 : 60)
      position += 6
    } else {
      return nil
    }
    guard position == bytes.count else { return nil }
    let clock = hour * 3600 + minute * 60 + second - offset
    self.init(
      seconds: Self.day(ofYear: year, month: month, day: day) * 86_400 + Int64(clock), nanos: nanos)
    guard isValidTimestamp else { return nil }
  }

  private static func isDigits(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  private static func nanos(_ decimals: Substring) -> Int32? {
    guard isDigits(decimals), decimals.utf8.count <= 9 else { return nil }
    return Int32(decimals + String(repeating: "0", count: 9 - decimals.utf8.count))
  }

  /// None, three, six or nine decimals, as protobuf prints them.
  private static func fraction(_ nanos: Int32) -> String {
    guard nanos != 0 else { return "" }
    if nanos.isMultiple(of: 1_000_000) { return "." + pad(Int(nanos) / 1_000_000, 3) }
    if nanos.isMultiple(of: 1_000) { return "." + pad(Int(nanos) / 1_000, 6) }
    return "." + pad(Int(nanos), 9)
  }

  private static func pad(_ value: Int, _ width: Int) -> String {
    let digits = "\(value)"
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }

  private static func daysInMonth(_ month: Int, of year: Int) -> Int {
    switch month {
    case 2:
      year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  // Years are counted from March, so that the leap day is a year's last; 719,468 days lie between
  // 1 March of year 0 and 1 January 1970.
  private static func day(ofYear year: Int, month: Int, day: Int) -> Int64 {
    let marchYear = Int64(month > 2 ? year : year - 1)
    let century = marchYear.flooredQuotient(by: 100)
    let marchMonth = Int64((month + 9) % 12)
    let leapDays = marchYear.flooredQuotient(by: 4) - century + century.flooredQuotient(by: 4)
    return 365 * marchYear + leapDays + (153 * marchMonth + 2) / 5 + Int64(day) - 1 - 719_468
  }

  private static func date(ofDay day: Int64) -> (year: Int, month: Int, day: Int) {
    let shifted = day + 719_468
    let era = shifted.flooredQuotient(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = Int(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
    let year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    return (year, month, Int(dayOfYear - (153 * marchMonth + 2) / 5 + 1))
  }
}

extension Int64 {
  fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}
