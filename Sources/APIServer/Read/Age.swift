// SPDX-License-Identifier: Apache-2.0

/// Ages as kubectl prints them: `45s`, `5m12s`, `3h`, `2d4h`, `400d`.
enum Age {
  static func text(ofSeconds seconds: Int64) -> String {
    let seconds = max(0, seconds)
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400)
    func pair(_ first: Int64, _ one: String, _ second: Int64, _ two: String) -> String {
      second == 0 ? "\(first)\(one)" : "\(first)\(one)\(second)\(two)"
    }
    switch seconds {
    case ..<120: return "\(seconds)s"
    case ..<600: return pair(minutes, "m", seconds % 60, "s")
    case ..<10_800: return "\(minutes)m"
    case ..<28_800: return pair(hours, "h", minutes % 60, "m")
    case ..<172_800: return "\(hours)h"
    case ..<691_200: return pair(days, "d", hours % 24, "h")
    default: return "\(days)d"
    }
  }
}
