// SPDX-License-Identifier: Apache-2.0

package import Hummingbird
import NIOCore

/// A request with its connection, which a watch that its client does not read is ended by.
package struct APIRequestContext: RequestContext {
  package var coreContext: CoreRequestContextStorage
  let channel: any Channel

  package init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }
}
