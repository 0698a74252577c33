// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import JSON
import Manifests

/// `-o`: how a command prints.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
  case json
  case yaml

  func text(_ value: JSONValue) -> String {
    switch self {
    case .json: value.text(pretty: true) + "\n"
    case .yaml: YAMLPrinter.text(value)
    }
  }
}

/// `-o` of commands that print for people unless a machine asks.
enum ReportFormat: String, CaseIterable, ExpressibleByArgument {
  case text
  case json
  case yaml

  func text(_ value: JSONValue, orText words: () -> String) -> String {
    switch self {
    case .text: words()
    case .json: OutputFormat.json.text(value)
    case .yaml: OutputFormat.yaml.text(value)
    }
  }
}

func printError(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

/// Rows under a heading, in columns as wide as their widest cell, as kubectl prints them.
func table(_ heading: [String], _ rows: [[String]]) -> String {
  let widths = heading.indices.map { column in
    ([heading] + rows).map { $0[column].count }.max() ?? 0
  }
  return ([heading] + rows).map { row in
    zip(row, widths)
      .map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
      .joined(separator: "   ").trimmingSuffix { $0 == " " }
  }
  .joined(separator: "\n") + "\n"
}

extension String {
  fileprivate func trimmingSuffix(while matches: (Character) -> Bool) -> Substring {
    var rest = self[...]
    while let last = rest.last, matches(last) { rest.removeLast() }
    return rest
  }
}
