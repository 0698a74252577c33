// SPDX-License-Identifier: Apache-2.0

import JSON
import EnvoyAPI
import Foundation
import ProtoReflection
import Testing

/// Random messages of every type against Google's protobuf in Python, which nobody here wrote.
@Suite struct PeerTests {
  struct Case {
    let type: MessageDescriptor
    let wire: [UInt8]
    let json: JSONValue
  }

  @Test func `protobuf's own library reads and writes the same`() throws {
    let python = Self.python
    try #require(
      FileManager.default.isExecutableFile(atPath: python.path),
      "no Python with protobuf at \(python.path); set SKIFF_PYTHON")
    let types = try allMessageTypes()
    var generator = RandomMessages(seed: 5, anyTypes: types)
    let cases = (types + types).map { type in
      let message = generator.message(type)
      return Case(type: type, wire: message.serialized(), json: message.json())
    }
    let answers = try Self.ask(python, cases)
    try #require(answers.count == cases.count)
    for (sent, answer) in zip(cases, answers) {
      let name = sent.type.fullName
      guard case .string(let text)? = answer["json"] else {
        Issue.record("\(name): \(answer.text()) for \(sent.json.text())")
        continue
      }
      let decoded = DynamicMessage.decode(try JSONValue(parsing: text), as: sent.type)
      #expect(decoded.errors == [], "\(name)")
      #expect(decoded.message.serialized() == sent.wire, "\(name): \(text)")
    }
  }

  private static var packageRoot: URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
  }

  private static var python: URL {
    ProcessInfo.processInfo.environment["SKIFF_PYTHON"].map { URL(filePath: $0) }
      ?? packageRoot.appending(path: ".build/venv/bin/python")
  }

  private static func ask(_ python: URL, _ cases: [Case]) throws -> [JSONValue] {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let descriptors = folder.appending(path: "envoy.binpb")
    try Data(EnvoyTypes.descriptorSet).write(to: descriptors)
    // Files and not pipes, so that neither side waits for the other's full buffer.
    let (questions, answers) = (folder.appending(path: "in"), folder.appending(path: "out"))
    let lines = cases.map { one in
      let line: JSONValue = [
        "type": .string(one.type.fullName),
        "wire": .string(Data(one.wire).base64EncodedString()),
        "json": .string(one.json.text()),
      ]
      return line.text() + "\n"
    }
    try Data(lines.joined().utf8).write(to: questions)
    try Data().write(to: answers)
    let process = Process()
    process.executableURL = python
    process.arguments = [
      URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Peers/roundtrip.py")
        .path,
      descriptors.path,
    ]
    process.standardInput = try FileHandle(forReadingFrom: questions)
    process.standardOutput = try FileHandle(forWritingTo: answers)
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return try Data(contentsOf: answers).split(separator: 0x0A).map { line in
      try JSONValue(parsing: Array(line))
    }
  }
}
