// SPDX-License-Identifier: Apache-2.0

/// Timestamps of object metadata (RFC 3339), to and from seconds since the Unix epoch.
package enum Timestamp {
  /// Seconds since the epoch, without fractions; nil for anything but an RFC 3339 timestamp.
  package static func seconds(of text: String) -> Int64? {
    // 2026-08-22T10:00:00Z, with a fraction and with an offset instead of Z
    let bytes = Array(text.utf8)
    guard bytes.count >= 20 else { return nil }
    func number(_ range: Range<Int>) -> Int64? {
      bytes[range].allSatisfy { (0x30...0x39).contains($0) }
        ? Int64(String(decoding: bytes[range], as: UTF8.self)) : nil
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
      bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
      bytes[10] | 0x20 == UInt8(ascii: "t"), bytes[13] == UInt8(ascii: ":"),
      bytes[16] == UInt8(ascii: ":"), (1...12).contains(month), (1...31).contains(day), hour < 24,
      minute < 60, second <= 60
    else { return nil }
    var rest = bytes[19...]
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst().drop { (0x30...0x39).contains($0) }
    }
    guard let zone = offset(rest) else { return nil }
    let days = Self.days(year: year, month: month, day: day)
    return days * 86_400 + hour * 3_600 + minute * 60 + second - zone
  }

  package static func text(ofSeconds seconds: Int64) -> String {
    let second = seconds % 86_400 < 0 ? seconds % 86_400 + 86_400 : seconds % 86_400
    let (year, month, day) = date(ofDays: (seconds - second) / 86_400)
    func padded(_ number: Int64, _ width: Int = 2) -> String {
      let digits = "\(number)"
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return "\(padded(year, 4))-\(padded(month))-\(padded(day))T\(padded(second / 3600)):"
      + "\(padded(second / 60 % 60)):\(padded(second % 60))Z"
  }

  /// `Z` or `+02:00`, in seconds.
  private static func offset(_ text: ArraySlice<UInt8>) -> Int64? {
    if text.count == 1, let mark = text.first, mark | 0x20 == UInt8(ascii: "z") { return 0 }
    let parts = String(decoding: text.dropFirst(), as: UTF8.self).split(separator: ":")
    guard text.count == 6, parts.count == 2, let hours = Int64(parts[0]),
      let minutes = Int64(parts[1]), let sign = text.first,
      sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-")
    else { return nil }
    let seconds = hours * 3_600 + minutes * 60
    return sign == UInt8(ascii: "-") ? -seconds : seconds
  }

  /// Days from 1970-01-01 in the Gregorian calendar; years begin in March so that leap days come last.
  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month > 2 ? year : year - 1
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func date(ofDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
  }
}
