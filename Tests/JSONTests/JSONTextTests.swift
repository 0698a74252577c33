// SPDX-License-Identifier: Apache-2.0

import JSON
import Testing

/// The parser and the printer.
@Suite struct JSONTextTests {
  @Test(arguments: [
    ("null", "null"), (" [ ] ", "[]"), ("{}", "{}"), ("-0", "-0.0"), ("0", "0"), ("1.0", "1"),
    ("1e3", "1000"), ("1.5e-7", "1.5e-07"), ("9007199254740993", "9007199254740993"),
    ("-9223372036854775808", "-9223372036854775808"),
    ("18446744073709551615", "18446744073709551615"),
    ("{\"b\":1,\"a\":[true,false,null]}", "{\"b\":1,\"a\":[true,false,null]}"),
    (#""\u00e4\ud83d\udea2\n\/\"\\""#, #""ä🚢\n/\"\\""#), (#""\u0001""#, #""\u0001""#),
  ])
  func `text is parsed and printed`(_ input: String, _ output: String) throws {
    #expect(try JSONValue(parsing: input).text() == output)
    #expect(try JSONValue(parsing: output).text() == output)
  }

  @Test(arguments: [
    ("", "line 1, column 1: expected a value"),
    ("[1,]", "line 1, column 4: expected a value"),
    ("[1", "line 1, column 3: expected a comma or the end of a list"),
    ("{\"a\" 1}", "line 1, column 6: expected a colon after a key"),
    ("{\n  a: 1}", "line 2, column 3: expected a key in quotes"),
    ("{\"a\":1,\"a\":2}", "line 1, column 11: expected each key once, found \"a\" again"),
    ("01", "line 1, column 1: expected a number"),
    ("1.", "line 1, column 1: expected a number"),
    ("1e999", "line 1, column 1: expected a number within a double's range"),
    ("\"\\ud800\"", "line 1, column 8: expected a surrogate pair"),
    ("\"a\nb\"", "line 1, column 3: expected no control character in a string"),
    ("\"abc", "line 1, column 5: expected a closing quote"),
    ("nul", "line 1, column 1: expected a value"),
    ("1 2", "line 1, column 3: expected the end of the text"),
  ])
  func `what is no JSON is refused with its place`(_ input: String, _ reason: String) {
    #expect(throws: JSONSyntaxError("malformed JSON at " + reason)) {
      try JSONValue(parsing: input)
    }
  }

  @Test func `nesting is bounded`() throws {
    let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
    #expect(try JSONValue(parsing: deep).text() == deep)
    #expect(throws: JSONSyntaxError.self) {
      try JSONValue(parsing: String(repeating: "[", count: 100_000))
    }
  }

  @Test func `bytes that are no UTF-8 are refused`() {
    #expect(
      throws: JSONSyntaxError("malformed JSON at line 1, column 3: expected UTF-8 in a string")
    ) {
      try JSONValue(parsing: [0x22, 0xFF, 0x22])
    }
  }

  @Test func `pretty text has one member a line`() {
    let value: JSONValue = ["a": [1, ["b": nil]], "c": [], "d": "x"]
    #expect(
      value.text(pretty: true) == """
        {
          "a": [
            1,
            {
              "b": null
            }
          ],
          "c": [],
          "d": "x"
        }
        """)
  }
}
