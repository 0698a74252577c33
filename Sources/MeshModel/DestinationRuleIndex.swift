// SPDX-License-Identifier: Apache-2.0

/// The DestinationRules of a mesh by namespace and host, those of one host merged as Istio merges them;
/// equal to its copies alone.
package struct DestinationRuleIndex: Equatable, Sendable {
  /// What the rules of one namespace for one host say together.
  package struct Entry: Equatable, Sendable {
    /// A subset and the rule that it is written in.
    package struct Subset: Equatable, Sendable {
      package var rule: DestinationRule
      package var subset: DestinationRule.Subset
      package var origin: Origin { rule.origin(at: subset.path) }
    }

    /// The rule whose policy counts: the oldest one that has any.
    package fileprivate(set) var policyRule: DestinationRule?
    package fileprivate(set) var subsets: [Subset] = []
    /// All that were merged, oldest first; never empty.
    package fileprivate(set) var rules: [DestinationRule] = []

    package var trafficPolicy: TrafficPolicy? { policyRule?.trafficPolicy }

    fileprivate let namespace: String
    fileprivate let selector: LabelSelector?
    fileprivate let export: Export

    fileprivate init(namespace: String, selector: LabelSelector?, export: Export) {
      self.namespace = namespace
      self.selector = selector
      self.export = export
    }

    package func subset(named name: String) -> Subset? {
      subsets.first { $0.subset.name == name }
    }

    /// Who decides how the clusters of the host are, those of subsets left aside.
    package var origins: [Origin] { rules.map(\.origin) }

    /// The same for those of a subset; no name stands for the whole host.
    package func origins(ofSubset name: String) -> [Origin] {
      origins + [subset(named: name)?.origin].compactMap(\.self)
    }
  }

  /// Rules for hosts in one namespace.
  private struct Hosts {
    var exact: [String: [Entry]] = [:]
    /// `*.example.com` under `.example.com`.
    var bySuffix: [String: [Entry]] = [:]
    /// The lengths of the suffixes, longest first.
    var suffixLengths: [Int] = []
  }

  private let stamp = Stamp()
  /// Those that it was made from.
  let rules: [DestinationRule]
  private var byNamespace: [String: Hosts] = [:]
  /// Subsets and policies that another rule for the same host has already.
  package private(set) var problems: [ConfigError] = []

  package init(_ rules: [DestinationRule] = []) {
    self.rules = rules
    for rule in rules.sorted(by: DestinationRule.precedesByAge) { add(rule) }
    for namespace in byNamespace.keys {
      let suffixes = byNamespace[namespace]?.bySuffix.keys.map(\.utf8.count) ?? []
      byNamespace[namespace]?.suffixLengths = Set(suffixes).sorted(by: >)
    }
  }

  package static func == (left: Self, right: Self) -> Bool { left.stamp == right.stamp }

  /// The rules that proxies of a namespace follow towards a service: those of the proxy's own namespace,
  /// else the service's, else the root's; in each, of the most specific host.
  ///
  /// A rule with a workloadSelector counts only in its own namespace, by the labels of the proxy.
  package func entry(
    for service: Service, from namespace: String, labels: [String: String], root: String
  ) -> Entry? {
    // What stands in the root namespace is for everybody, so a proxy that lives there first asks the
    // service's namespace; only what the root keeps to itself is meant for that proxy.
    if namespace == root,
      let own = entry(
        for: service.hostname, in: root, where: { $0.isPrivate && $0.selects(labels) })
    {
      return own
    }
    var former: String?
    for source in (namespace == root ? [] : [namespace]) + [service.namespace, root]
    where source != former {
      former = source
      let found = entry(
        for: service.hostname, in: source, where: { $0.applies(to: namespace, labels) })
      if let found { return found }
    }
    return nil
  }

  private func entry(
    for hostname: String, in namespace: String, where applies: (Entry) -> Bool
  ) -> Entry? {
    guard let hosts = byNamespace[namespace] else { return nil }
    func chosen(_ entries: [Entry]?) -> Entry? {
      guard let entries else { return nil }
      // One that selects workloads goes before one for all.
      let usable = entries.filter(applies)
      return usable.first { $0.selector != nil } ?? usable.first
    }
    if let entry = chosen(hosts.exact[hostname]) { return entry }
    for length in hosts.suffixLengths where length <= hostname.utf8.count {
      let suffix = String(hostname.utf8.suffix(length)) ?? hostname
      if let entry = chosen(hosts.bySuffix[suffix]) { return entry }
    }
    return nil
  }

  private mutating func add(_ rule: DestinationRule) {
    let namespace = rule.meta.namespace
    let host = Hostname.resolve(rule.host, in: namespace)
    if host.hasPrefix("*") {
      let suffix = String(host.dropFirst())
      problems += Self.merge(
        rule, into: &byNamespace[namespace, default: Hosts()].bySuffix[suffix, default: []])
    } else {
      problems += Self.merge(
        rule, into: &byNamespace[namespace, default: Hosts()].exact[host, default: []])
    }
  }

  /// Joins a rule to an older one with the same audience, else keeps it beside the others.
  ///
  /// - Returns: what of it has no effect.
  private static func merge(
    _ rule: DestinationRule, into entries: inout [Entry]
  ) -> [ConfigError] {
    var problems: [ConfigError] = []
    func report(_ path: FieldPath, _ what: String, _ former: DestinationRule) {
      guard former.ref != rule.ref else { return }
      problems.append(
        ConfigError(
          .conflict, severity: .warning, object: rule.ref, at: path,
          reason: "has no effect: \(former.ref), which is older, gives \(what) for \(rule.host)"))
    }
    let export = Export(rule)
    let position = entries.firstIndex {
      $0.selector == rule.workloadSelector && $0.export == export
    }
    if position == nil {
      entries.append(
        Entry(namespace: rule.meta.namespace, selector: rule.workloadSelector, export: export))
    }
    let index = position ?? entries.count - 1
    for subset in rule.subsets {
      if let former = entries[index].subset(named: subset.name) {
        report(subset.path["name"], "subset \(subset.name)", former.rule)
      } else {
        entries[index].subsets.append(Entry.Subset(rule: rule, subset: subset))
      }
    }
    if rule.trafficPolicy != nil {
      if let former = entries[index].policyRule {
        report(FieldPath("spec", "trafficPolicy"), "the traffic policy", former)
      } else {
        entries[index].policyRule = rule
      }
    }
    entries[index].rules.append(rule)
    return problems
  }
}

/// The values of `exportTo`, written out.
private enum Export: Hashable {
  case everywhere
  case namespaces(Set<String>)

  init(_ rule: DestinationRule) {
    self =
      rule.exportTo.isEmpty || rule.exportTo.contains("*")
      ? .everywhere
      : .namespaces(Set(rule.exportTo.map { $0 == "." ? rule.meta.namespace : $0 }))
  }
}

extension DestinationRuleIndex.Entry {
  fileprivate var isPrivate: Bool { export == .namespaces([namespace]) }

  fileprivate func selects(_ labels: [String: String]) -> Bool {
    selector?.matches(labels) ?? true
  }

  fileprivate func applies(to proxyNamespace: String, _ labels: [String: String]) -> Bool {
    if selector != nil, namespace != proxyNamespace { return false }
    guard selects(labels) else { return false }
    return switch export {
    case .everywhere: true
    case .namespaces(let names): names.contains(proxyNamespace)
    }
  }
}
