// SPDX-License-Identifier: Apache-2.0
// Log lines of a plugin appear in the proxy's own log, with the plugin's name before them.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#logging

enum LogLevel: UInt32 {
  case trace = 0
  case debug = 1
  case info = 2
  case warn = 3
  case error = 4
  case critical = 5

  /// The least level that the proxy writes at present.
  static var current: LogLevel {
    var level: UInt32 = 0
    guard hostGetLogLevel(&level) == 0 else { return .trace }
    return LogLevel(rawValue: level) ?? .critical
  }
}

/// Writes a line to the proxy's log.
///
/// The message is not built when nobody would see it.
func log(_ level: LogLevel, _ message: @autoclosure () -> String) {
  guard level.rawValue >= LogLevel.current.rawValue else { return }
  _ = message().withPayload { hostLog(level.rawValue, $0, $1) }
}
