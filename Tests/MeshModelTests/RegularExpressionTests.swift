// SPDX-License-Identifier: Apache-2.0

import MeshModel
import Testing

@Suite struct RegularExpressionTests {
  @Test(arguments: [
    "", "/v[0-9]+/.*", "^(a|b)*?c{2,3}$", "(?i)abc", "(?P<name>x)", "(?<name>x)", "(?:x|y){1000}",
    "[]a]", "[^]a-z[:alpha:]]", #"\d\.\pL\p{Greek}\x41\x{1F600}\Qa.b(\E"#, "a{,2}", "{", "x{2}y{2}",
  ])
  func `is sound`(_ expression: String) {
    #expect(RegularExpression.fault(in: expression) == nil)
  }

  @Test(arguments: [
    ("(", "missing )"), ("a)", "unexpected )"), ("[a", "missing ]"),
    ("*a", "nothing to repeat before *"),
    ("a**", "bad repetition *"), ("a{1001}", "bad repetition {1001}"),
    ("a{3,2}", "bad repetition {3,2}"), ("(?=a)", "RE2 has no (?="), ("(?!a)", "RE2 has no (?!"),
    (#"(a)\1"#, "RE2 has no back-references"), (#"a\"#, #"trailing \"#),
    (#"\k"#, #"RE2 has no \k"#),
    ("[z-a]", "bad range z-a"), (#"\x4"#, #"bad \x escape"#), ("(?i", "missing )"),
    ("(?<=a)b", "RE2 has no look-behind; a named group needs a name in < and >"),
  ])
  func `is at fault`(_ expression: String, _ fault: String) {
    #expect(RegularExpression.fault(in: expression) == fault)
  }
}
