// SPDX-License-Identifier: Apache-2.0

import MeshModel
import Testing

/// How an error reads in a log, on a page and on a terminal.
@Suite struct ConfigErrorTests {
  let filter = ObjectRef(kind: .envoyFilter, namespace: "default", name: "reverb")

  @Test func `an error names object, path, reason and place`() {
    let error = ConfigError(
      .invalid, object: filter,
      at: FieldPath("spec", "configPatches")[2]["patch"]["value"],
      reason: "expected an object, found a scalar",
      location: SourceLocation(file: "reverb.yaml", line: 31))
    #expect(
      "\(error)" == """
        EnvoyFilter default/reverb: spec.configPatches[2].patch.value: expected an object, \
        found a scalar (reverb.yaml:31)
        """)
  }

  @Test func `a field name that is no identifier is quoted`() {
    #expect(
      "\(FieldPath("metadata", "labels")["app.kubernetes.io/name"])"
        == "metadata.labels[\"app.kubernetes.io/name\"]")
  }

  @Test func `a snapshot adds the line of the nearest field that was written`() {
    let path = FieldPath("spec", "configPatches")[2]
    let mesh = MeshSnapshot(
      revision: 1, sources: [filter: SourceMap(file: "a.yaml", lines: [FieldPath(): 1, path: 9])])
    let error = ConfigError(.invalid, object: filter, at: path["patch"], reason: "no")
    #expect(mesh.located(error).location == SourceLocation(file: "a.yaml", line: 9))
  }
}
