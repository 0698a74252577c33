// SPDX-License-Identifier: Apache-2.0

import JSON
import Testing

/// Reading and printing JSON without a loss.
@Suite struct JSONValueTests {
  @Test(arguments: [
    "null", "true", "[]", "{}", #"{"b":1,"a":[1.50,-2e9,18446744073709551615]}"#,
    #""a\"\\\n\u0001é""#,
  ])
  func `text survives reading and printing`(_ text: String) throws {
    #expect(try JSONValue(parsing: text).printed() == text)
  }

  @Test func `pretty text has a line for each member`() {
    let value: JSONValue = ["a": [1, 2], "b": [:]]
    #expect(
      value.printed(pretty: true) == """
        {
          "a": [
            1,
            2
          ],
          "b": {}
        }
        """)
  }

  @Test func `surrogate pairs and escapes become characters`() throws {
    #expect(try JSONValue(parsing: #""\ud83d\ude00\/\t""#) == "😀/\t")
  }

  @Test func `the last of equal keys counts at the place of the first`() throws {
    #expect(try JSONValue(parsing: #"{"a":1,"b":2,"a":3}"#) == ["a": 3, "b": 2])
  }

  @Test(arguments: [
    ("", 0, "expected a value"), ("[1,]", 3, "expected a value"),
    ("01", 1, "expected the end of the text"),
    ("{\"a\" 1}", 5, "expected a colon"), ("\"a", 2, "the string has no end"),
    ("\"\\ud800\"", 7, "half of a surrogate pair"), ("1.", 2, "expected a digit"),
  ])
  func `anything else is refused with the place`(_ text: String, _ offset: Int, _ reason: String) {
    #expect { try JSONValue(parsing: text) } throws: { error in
      error as? JSONSyntaxError == JSONSyntaxError(offset: offset, reason: reason)
    }
  }

  @Test func `nesting is bounded`() {
    #expect(throws: JSONSyntaxError.self) {
      try JSONValue(parsing: String(repeating: "[", count: 100_000))
    }
  }
}
