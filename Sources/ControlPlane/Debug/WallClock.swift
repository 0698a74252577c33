// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Instants of the process as times of day, for people.
enum WallClock {
  /// Since the Unix epoch.
  static var seconds: Int64 { Int64(Date().timeIntervalSince1970) }

  /// Both clocks at one moment, so that an instant has the same text whenever it is asked for.
  private static let anchor = (instant: ContinuousClock.now, date: Date())

  /// RFC 3339 in UTC with milliseconds.
  static func text(_ instant: ContinuousClock.Instant) -> String {
    text(anchor.date.addingTimeInterval(anchor.instant.duration(to: instant) / .seconds(1)))
  }

  static func text(_ date: Date) -> String {
    date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }
}
