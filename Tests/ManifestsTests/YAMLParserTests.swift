// SPDX-License-Identifier: Apache-2.0

import JSON
import Manifests
import MeshModel
import MeshTesting
import Testing

@Suite struct YAMLParserTests {
  private func json(_ text: String) -> [JSONValue] {
    YAMLParser().parse(Array(text.utf8), file: "f").documents.map(\.json)
  }

  @Test func `scalars resolve as in YAML 1.2, with the numbers that Kubernetes knows`() {
    let text = """
      [12345678901234567890, 1.50, -7, +5, .5, 0x1F, 0o17, 0b11, 0777, 089, 1_000, 5.,
       true, True, FALSE, null, ~, '7', "yes", yes, n, 1.2.3, 10.0.0.1, 2026-01-01, -, +, .,
       !!str 5, !!int "5", 1:30]
      """
    let expected: [JSONValue] = [
      .integer(UInt64(12_345_678_901_234_567_890)), 1.5, -7, 5, 0.5, 31, 15, 3, 511, 89, 1000, 5,
      true, true, false, nil, nil, "7", "yes", "yes", "n", "1.2.3", "10.0.0.1", "2026-01-01", "-",
      "+", ".", "5", 5, "1:30",
    ]
    #expect(json(text.replacing(" -,", with: " '-',")) == [.array(expected)])
  }

  @Test func `documents keep their order, and lines count through the file`() {
    let text =
      "%YAML 1.1\n---\na: 1\n--- # next\nb: 2\n...\n---\n\n# nothing\n---\nc: |\n  x\n  --- y\n"
    let stream = YAMLParser().parse(Array(text.utf8), file: "f")
    #expect(stream.documents.map(\.json) == [["a": 1], ["b": 2], ["c": "x\n--- y\n"]])
    #expect(stream.documents.map(\.line) == [3, 5, 11])
    #expect(stream.problems == [])
  }

  @Test func `merge keys add what is not written`() {
    let text = "base: &b {x: 1, y: 2}\nmore: &m {z: 9, x: 7}\nall: {<<: [*b, *m], y: 3}"
    #expect(
      json(text) == [
        [
          "base": ["x": 1, "y": 2], "more": ["z": 9, "x": 7], "all": ["y": 3, "x": 1, "z": 9],
        ]
      ])
  }

  @Test func `JSON with escaped surrogate pairs is read`() {
    #expect(json(#"{"a": "\ud83d\ude00", "b": "\/"}"#) == [["a": "\u{1F600}", "b": "/"]])
  }

  @Test func `a byte order mark and Windows line ends are nothing special`() {
    #expect(json("\u{FEFF}a: 1\r\n---\r\nb: 2\r\n") == [["a": 1], ["b": 2]])
  }

  /// Nine levels of nine: 3.5 billion values where they are expanded.
  static let bomb =
    (["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + (1...9).map { level in
      "a\(level): &a\(level) [\((0..<9).map { _ in "*a\(level - 1)" }.joined(separator: ", "))]"
    }).joined(separator: "\n") + "\n"

  @Test(arguments: [
    "", "? *a9\n: 1\n", "*a9 : 1\n", "[*a9]: 1\n", "k: {[*a9], b: 1}\n", "k: {*a9 , b: 1}\n",
    "k: {a: 1, !!seq [*a9], b: 1}\n", "k: {\"x: # y\",\n  [*a9], b: 1}\n", "k: [?[*a9], b]\n",
    "k: [[*a9] :1]\n", "k: [*a9:1]\n", "? - *a9\n: 1\n", "k: {a: 1, # foo:\n  [*a9], b: 1}\n",
    "k: {a: 1, &z: [*a9], b: 1}\n", "k:\n- *a9 : 1\n",
  ])
  func `an alias bomb is refused before it goes off`(_ fuse: String) {
    let stream = YAMLParser().parse(Array((Self.bomb + fuse).utf8), file: "bomb.yaml")
    #expect(stream.documents == [])
    #expect(stream.problems.map(\.code) == [.invalid])
  }

  @Test func `ordinary use of anchors is welcome`() {
    let uses = (0..<200).map { "- {name: s\($0), labels: *l, ports: [1, 2]}" }
    let text = "labels: &l {app: web}\nall:\n" + uses.joined(separator: "\n")
    #expect(json(text).first?["all"]?.arrayElements?.last?["labels"] == ["app": "web"])
    #expect(json(text).count == 1)
  }

  @Test func `limits on size, depth and number of values hold`() {
    var limits = ManifestLimits()
    limits.fileSize = 100
    limits.depth = 5
    limits.values = 10
    func reasons(_ text: String) -> [String] {
      YAMLParser(limits: limits).parse(Array(text.utf8), file: "f").problems.map(\.reason)
    }
    #expect(
      reasons(String(repeating: "a", count: 101))
        == ["the file has 101 bytes, more than the limit of 100; split it"])
    #expect(reasons("[[[[[1]]]]]") == ["nested deeper than 5 levels"])
    #expect(
      reasons("[1,2,3,4,5,6,7,8,9,0,1,2]")
        == ["the document has more than 10 values; split the file"])
    #expect(reasons("[[[[1]]]]") == [])
    #expect(
      reasons(String(repeating: "[", count: 90))
        == ["the document has more than 10 values; split the file"])
  }

  @Test func `text that is not UTF-8 is told with its line`() {
    let stream = YAMLParser().parse(Array("a: 1\nb: ".utf8) + [0xFF, 0x0A], file: "f.yaml")
    #expect(
      stream.problems == [
        ConfigError(
          .invalid, reason: "the text is not UTF-8; save the file as UTF-8",
          location: MeshModel.SourceLocation(file: "f.yaml", line: 2))
      ])
  }

  @Test func `whatever a text holds, reading it ends`() {
    var random = SeededGenerator(seed: 42)
    let alphabet = Array("ab:-?*&!|>%@`'\"{}[],# \t\n\r.0~<=".utf8)
    for _ in 0..<3_000 {
      let text = (0..<Int.random(in: 0..<60, using: &random)).map { _ in
        alphabet.randomElement(using: &random) ?? 0
      }
      let reading = ManifestReader().read(text: text, file: "f")
      #expect(reading.objects == [])
    }
  }
}
