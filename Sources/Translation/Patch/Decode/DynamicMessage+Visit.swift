// SPDX-License-Identifier: Apache-2.0

import ProtoReflection

extension DynamicMessage {
  /// Visits a message and all messages in it, outer ones first.
  ///
  /// The content of an `Any` has the path of the `Any`, as in JSON.
  func visit(
    at path: [PathComponent] = [], _ body: ([PathComponent], DynamicMessage) -> Void
  ) {
    body(path, self)
    if anyTypeURL != nil {
      anyContent?.visit(at: path, body)
      return
    }
    guard descriptor.wellKnownType == nil else { return }
    for number in setFieldNumbers {
      guard let field = descriptor.field(number: number), let value = self[number: number] else {
        continue
      }
      let path = path + [.field(field.name)]
      switch value {
      case .message(let message): message.visit(at: path, body)
      case .list(let elements):
        for (index, element) in elements.enumerated() {
          element.message?.visit(at: path + [.index(index)], body)
        }
      case .map(let entries):
        for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
          value.message?.visit(at: path + [.key(key.text)], body)
        }
      default: continue
      }
    }
  }
}
