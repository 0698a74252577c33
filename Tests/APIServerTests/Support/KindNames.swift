// SPDX-License-Identifier: Apache-2.0

import Manifests
import MeshModel

/// The kinds of Istio that manifests may hold.
enum KindNames {
  static let istio = (KnownKinds.decoded + KnownKinds.unsupported)
    .filter { $0.group.hasSuffix(".istio.io") }.map(\.kind)
}
