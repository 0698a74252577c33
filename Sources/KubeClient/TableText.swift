// SPDX-License-Identifier: Apache-2.0

package import JSON

/// A `Table` of the server as kubectl prints it
/// (https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables).
package struct TableText: Sendable {
  package var isWide = false
  package var hasNamespace = false
  package var hasHeading = true
  /// `virtualservice.networking.istio.io` before each name, where several kinds are shown.
  package var prefix = ""
  /// Of the columns that a watch told first.
  private var columns: [JSONValue] = []

  package init() {}

  /// The rows of some pages, with the heading.
  package mutating func text(_ tables: [JSONValue]) -> String {
    let rows = tables.flatMap { cells($0) }
    return Self.aligned(hasHeading ? [heading] + rows : rows)
  }

  /// The rows of a table without a heading.
  package mutating func rows(_ table: JSONValue) -> [[String]] { cells(table) }

  package static func isEmpty(_ tables: [JSONValue]) -> Bool {
    tables.allSatisfy { $0["rows"]?.arrayElements?.isEmpty ?? true }
  }

  package var heading: [String] {
    (hasNamespace ? ["NAMESPACE"] : [])
      + shown.map { columns[$0]["name"]?.stringValue?.uppercased() ?? "" }
  }

  private var shown: [Int] {
    columns.indices.filter { isWide || (columns[$0]["priority"]?.integerValue ?? 0) == 0 }
  }

  private mutating func cells(_ table: JSONValue) -> [[String]] {
    if let columns = table["columnDefinitions"]?.arrayElements { self.columns = columns }
    let name = columns.firstIndex { $0["format"] == "name" }
    return (table["rows"]?.arrayElements ?? []).map { row in
      let cells = row["cells"]?.arrayElements ?? []
      let namespace = row["object"]?["metadata"]?["namespace"]?.stringValue ?? ""
      return (hasNamespace ? [namespace] : [])
        + shown.map { index in
          let cell = index < cells.count ? Self.text(cells[index]) : ""
          return index == name && !prefix.isEmpty ? "\(prefix)/\(cell)" : cell
        }
    }
  }

  private static func text(_ cell: JSONValue) -> String {
    let text = cell == .null ? "<none>" : cell.stringValue ?? cell.text()
    return String(text.prefix { !$0.isNewline })
  }

  /// Columns three spaces apart, the last one as it is.
  package static func aligned(_ rows: [[String]]) -> String {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
      max(6, (rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0) + 3)
    }
    return rows.map { row in
      row.enumerated().map { column, cell in
        column == row.count - 1
          ? cell : cell + String(repeating: " ", count: max(0, widths[column] - cell.count))
      }.joined() + "\n"
    }.joined()
  }
}
