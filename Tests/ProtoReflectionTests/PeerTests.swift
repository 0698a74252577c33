// SPDX-License-Identifier: Apache-2.0

import JSON
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
    let types = try allMessageTypes()
    var generator = RandomMessages(seed: 5, anyTypes: types)
    let cases = (types + types).map { type in
      let message = generator.message(type)
      return Case(type: type, wire: message.serialized(), json: message.json())
    }
    let answers = try PythonPeer("roundtrip.py").ask(
      cases.map { one in
        [
          "type": .string(one.type.fullName), "wire": .string(PythonPeer.base64(one.wire)),
          "json": .string(one.json.text()),
        ]
      })
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
}
