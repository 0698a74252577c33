// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Python programs that talk gRPC by grpcio, a peer that nobody here wrote.
enum Python {
  /// `SKIFF_PYTHON`, or the interpreter of the virtual environment below the package's root.
  static var interpreter: URL {
    if let path = ProcessInfo.processInfo.environment["SKIFF_PYTHON"] {
      return URL(filePath: path)
    }
    let root = Loopback.directory.deletingLastPathComponent().deletingLastPathComponent()
    return root.appending(path: ".build/venv/bin/python")
  }

  /// A program that runs.
  struct Peer {
    let process: Process
    let input: FileHandle

    /// What it prints, line by line, until it ends.
    let lines: AsyncStream<String>
  }

  /// Starts a program of `Peers`.
  static func start(_ program: String, _ arguments: String...) throws -> Peer {
    let (process, input, output) = (Process(), Pipe(), Pipe())
    try #require(
      FileManager.default.isExecutableFile(atPath: interpreter.path(percentEncoded: false)),
      "no Python at \(interpreter.path()): run scripts/test.sh, or set SKIFF_PYTHON")
    process.executableURL = interpreter
    let path = Loopback.directory.appending(path: "Peers/\(program)").path(percentEncoded: false)
    process.arguments = [path] + arguments
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    let (lines, continuation) = AsyncStream.makeStream(of: String.self)
    // A thread of its own: it blocks, and the pool of the tests has few.
    Thread.detachNewThread {
      var bytes = Data()
      while true {
        let more = output.fileHandleForReading.availableData
        bytes += more
        while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
          continuation.yield(String(decoding: bytes[..<end], as: UTF8.self))
          bytes = Data(bytes[(end + 1)...])
        }
        if more.isEmpty { break }
      }
      process.waitUntilExit()
      continuation.finish()
    }
    return Peer(process: process, input: input.fileHandleForWriting, lines: lines)
  }
}
