// SPDX-License-Identifier: Apache-2.0

import Foundation
import JSON
package import Logging

/// How a program writes its log to standard error: `--log-format`.
package enum LogFormat: String, Sendable, CaseIterable {
  case text
  case json

  /// Makes a logger.
  package func logger(label: String, level: Logger.Level) -> Logger {
    var logger =
      switch self {
      case .text:
        Logger(label: label) { StreamLogHandler.standardError(label: $0) }
      case .json:
        Logger(label: label) { JSONLogHandler(label: $0) }
      }
    logger.logLevel = level
    return logger
  }
}

/// One JSON object a line: `time`, `level`, `logger`, `msg`, then the metadata by its keys.
struct JSONLogHandler: LogHandler {
  let label: String
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]

  init(label: String) { self.label = label }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let merged = metadata.merging(event.metadata ?? [:]) { _, new in new }
    var members: [(String, JSONValue)] = [
      ("time", .string(Date().formatted(.iso8601))), ("level", .string(event.level.rawValue)),
      ("logger", .string(label)), ("msg", .string("\(event.message)")),
    ]
    members += merged.sorted { $0.key < $1.key }
      .map { ($0.key, .string("\($0.value)")) }
    // One write call a line keeps the lines of several threads apart.
    let line = Array((JSONValue.object(pairs: members).text() + "\n").utf8)
    line.withUnsafeBytes { bytes in _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
  }
}
