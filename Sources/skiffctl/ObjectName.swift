// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KubeClient

/// `KIND/NAME` of commands about one object.
struct ObjectName: ExpressibleByArgument {
  let text: String

  init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
    text = argument
  }

  func key(in namespace: String, _ index: KindIndex) throws(ClientFailure) -> ObjectKey {
    let selection = try Selection.all([text], in: index)[0]
    return ObjectKey(selection.kind, in: namespace, selection.names[0])
  }
}
