// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Foundation
import JSON
import Testing

/// Google's protobuf in Python, which nobody here wrote: a script of `Peers` that answers each line
/// with a line.
struct PythonPeer {
  private let script: String

  init(_ script: String) { self.script = script }

  static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
  static func bytes(_ base64: String) -> [UInt8]? { Data(base64Encoded: base64).map(Array.init) }

  func ask(_ questions: [JSONValue]) throws -> [JSONValue] {
    let python = Self.python
    try #require(
      FileManager.default.isExecutableFile(atPath: python.path),
      "no Python with protobuf at \(python.path); set SKIFF_PYTHON")
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let descriptors = folder.appending(path: "envoy.binpb")
    try Data(EnvoyTypes.descriptorSet).write(to: descriptors)
    // Files and not pipes, so that neither side waits for the other's full buffer.
    let (input, output) = (folder.appending(path: "in"), folder.appending(path: "out"))
    try Data(questions.map { $0.text() + "\n" }.joined().utf8).write(to: input)
    try Data().write(to: output)
    let process = Process()
    process.executableURL = python
    process.arguments = [
      URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Peers/\(script)").path,
      descriptors.path,
    ]
    process.standardInput = try FileHandle(forReadingFrom: input)
    process.standardOutput = try FileHandle(forWritingTo: output)
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return try Data(contentsOf: output).split(separator: 0x0A).map { line in
      try JSONValue(parsing: Array(line))
    }
  }

  private static var python: URL {
    let packageRoot = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return ProcessInfo.processInfo.environment["SKIFF_PYTHON"].map { URL(filePath: $0) }
      ?? packageRoot.appending(path: ".build/venv/bin/python")
  }
}
