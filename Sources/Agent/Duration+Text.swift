// SPDX-License-Identifier: Apache-2.0

extension Duration {
  /// For the log: `92ms`.
  var inMilliseconds: String { "\(Int64(self / .milliseconds(1)))ms" }
}
