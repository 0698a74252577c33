// SPDX-License-Identifier: Apache-2.0
// A JSON document in one spelling, or the reader's error.

func canonicalJSON(_ bytes: [UInt8]) -> String {
  do throws(PluginError) {
    return spelled(try JSON(parsing: bytes).value)
  } catch {
    return "error: \(error.reason)"
  }
}

private func spelled(_ value: JSON.Value) -> String {
  switch value {
  case .missing: "missing"
  case .null: "null"
  case .bool(let bool): bool ? "true" : "false"
  case .number(let number): spelled(number)
  case .string(let text): spelled(text)
  case .array(let items): "[" + joined(items.map(spelled)) + "]"
  case .object(let members):
    "{" + joined(members.map { spelled($0.key) + ":" + spelled($0.value) }) + "}"
  }
}

private func spelled(_ number: JSONNumber) -> String {
  if let integer = number.integer { return "\(integer)" }
  // The bits say exactly which Double was meant.
  return "bits:\(number.double.bitPattern)"
}

private func spelled(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    if scalar.isASCII, scalar.value >= 0x20, scalar != "\"", scalar != "\\" {
      result.unicodeScalars.append(scalar)
    } else {
      result += "<\(String(scalar.value, radix: 16))>"
    }
  }
  return result + "\""
}

private func joined(_ parts: [String]) -> String {
  var result = ""
  for part in parts { result += result.isEmpty ? part : ",\(part)" }
  return result
}
