// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// Standard output: text at once, and on a terminal one line that is drawn again and again.
struct Console {
  /// Whether a person looks at it.
  let isTerminal = isatty(STDOUT_FILENO) == 1
  private var line = ""

  /// Prints at once, since who reads a pipe waits for each line; a reader that has gone wants no more.
  static func print(_ text: String) {
    do { try FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) } catch { exit(1) }
  }

  /// Shows how far something has come: in the place of the last line, or where there is none, as a
  /// line of its own if it is another one.
  mutating func progress(_ text: String) {
    guard text != line else { return }
    line = text
    Self.print(isTerminal ? "\r\u{1B}[K\(text.prefix(width))" : text + "\n")
  }

  /// Prints lines that stay.
  mutating func print(lines: [String]) {
    guard !lines.isEmpty else { return }
    clear()
    for line in lines { Self.print(line + "\n") }
  }

  /// Takes the drawn line away.
  mutating func clear() {
    if isTerminal, !line.isEmpty { Self.print("\r\u{1B}[K") }
    line = ""
  }

  /// A line that wraps could not be drawn over.
  private var width: Int {
    var size = winsize()
    let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return isKnown ? Int(size.ws_col) - 1 : 79
  }
}
