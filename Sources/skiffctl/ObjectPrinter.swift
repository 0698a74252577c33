// SPDX-License-Identifier: Apache-2.0

import JSON
import KubeClient
import Manifests

/// Objects in the form that `skiffctl get -o` asks for, as kubectl prints them.
struct ObjectPrinter {
  /// Nil for a table.
  let form: Get.Form?
  let showsManagers: Bool
  let namesKinds: Bool
  private(set) var hasPrinted = false
  /// The `resourceVersion` of what was printed last.
  private(set) var version = ""
  private var table = TableText()

  init(
    form: Get.Form?, hasNamespace: Bool, hasHeading: Bool, showsManagers: Bool, namesKinds: Bool
  ) {
    self.form = form
    self.showsManagers = showsManagers
    self.namesKinds = namesKinds
    table.isWide = form == .wide
    table.hasNamespace = hasNamespace
    table.hasHeading = hasHeading
  }

  var isForPeople: Bool { form == nil || form == .wide }

  var wireForm: APIConnection.Form { isForPeople ? .table : .json }

  /// Answers about some kinds: lists, objects or tables.
  ///
  /// - Parameters:
  ///   - answers: the answers with their kinds, in the order of asking.
  ///   - isOne: whether a single object was asked for, which is no list then.
  /// - Returns: all of them.
  mutating func text(_ answers: [(ServedKind, [JSONValue])], isOne: Bool) -> String {
    version = answers.last?.1.first?["metadata"]?["resourceVersion"]?.stringValue ?? ""
    if isForPeople { return tables(answers) }
    let objects = answers.flatMap { kind, pages in
      pages.flatMap { page in
        (page["items"]?.arrayElements ?? [page]).map { (kind, $0) }
      }
    }
    hasPrinted = !objects.isEmpty
    if form == .name { return objects.map(name).joined() }
    let shown = objects.map { withoutManagers($0.1) }
    if isOne { return shown.first.map(text) ?? "" }
    return text([
      "apiVersion": "v1", "items": .array(shown), "kind": "List",
      "metadata": ["resourceVersion": ""],
    ])
  }

  /// One object of a watch.
  mutating func event(_ object: JSONValue, of kind: ServedKind) -> String {
    switch form {
    case nil, .wide: TableText.aligned(table.rows(object))
    case .name: name(kind, object)
    case .json: text(withoutManagers(object))
    case .yaml: "---\n" + text(withoutManagers(object))
    }
  }

  private mutating func tables(_ answers: [(ServedKind, [JSONValue])]) -> String {
    // Objects of one kind that were named one by one are one table.
    var byKind: [(kind: ServedKind, tables: [JSONValue])] = []
    for (kind, tables) in answers where !TableText.isEmpty(tables) {
      if byKind.last?.kind == kind {
        byKind[byKind.count - 1].tables += tables
      } else {
        byKind.append((kind, tables))
      }
    }
    hasPrinted = !byKind.isEmpty
    return byKind.map { kind, tables in
      table.prefix = namesKinds ? kind.qualifiedSingular : ""
      return table.text(tables)
    }.joined(separator: "\n")
  }

  private func name(_ kind: ServedKind, _ object: JSONValue) -> String {
    kind.label(object["metadata"]?["name"]?.stringValue ?? "") + "\n"
  }

  private func text(_ object: JSONValue) -> String {
    form == .json ? object.text(pretty: true) + "\n" : YAMLPrinter.text(object)
  }

  private func withoutManagers(_ object: JSONValue) -> JSONValue {
    guard !showsManagers, case .object(var members) = object,
      var metadata = members["metadata"]?.objectMembers
    else { return object }
    metadata["managedFields"] = nil
    members["metadata"] = .object(metadata)
    return .object(members)
  }
}
