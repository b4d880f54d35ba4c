/** Keys of Antrea's ConfigMaps that change nothing here, each with what does it instead: an answer for who pastes a whole one. */

const FILES =
  'records are not written there: give --flow-file for lines of JSON that another program loads, or send them with --ipfix-format json'
const SECRET = 'Secrets are not read: mount it as a volume, and give'

/** Of `flow-aggregator.conf`. */
export const AGGREGATOR_KEYS: Readonly<Record<string, string>> = {
  inactiveFlowRecordTimeout:
    'a conversation is kept as long as its sockets are; an idle one is exported after --idle-flow-export-timeout',
  apiServer: 'records and counters are at the --socket of the collector: sockflux flows, sockflux metrics',
  clickHouse: FILES,
  s3Uploader: FILES,
  flowLogger:
    'records are not written as CSV: give --flow-file, --flow-file-size and --flow-files for lines of JSON',
  flowStreamService: 'there is no gRPC here: sockflux flows --follow prints records as they come',
  recordBufferSize: 'records wait in --ipfix-queue-size bytes, and with --flow-file in a queue of their own',
  'flowCollector.tls.caSecretName': `${SECRET} --ipfix-ca`,
  'flowCollector.tls.clientSecretName': `${SECRET} --ipfix-certificate and --ipfix-key`,
}

const NOT_OF_FLOWS = 'of antrea-agent, and not about flows: changes nothing here'

/** Of `antrea-agent.conf`. */
export const AGENT_KEYS: Readonly<Record<string, string>> = {
  enablePrometheusMetrics:
    'give --prometheus for /metrics, and --metrics with conntrack for those of connections',
  kubeAPIServerOverride: 'the address of the API is in the kubeconfig of --cluster-from',
  ...Object.fromEntries(
    [
      ...[
        'ovsBridge',
        'ovsDatapathType',
        'hostGateway',
        'trafficEncapMode',
        'noSNAT',
        'snatFullyRandomPorts',
      ],
      ...['tunnelType', 'tunnelPort', 'tunnelCsum', 'trafficEncryptionMode', 'enableIPSecTunnel', 'ipsec'],
      ...['enableBridgingMode', 'disableTXChecksumOffload', 'defaultMTU', 'packetInRate', 'wireGuard'],
      ...['egress', 'serviceCIDR', 'serviceCIDRv6', 'apiPort', 'clusterMembershipPort', 'nodePortLocal'],
      ...['dnsServerOverride', 'fqdnCacheMinTTL', 'tlsCipherSuites', 'tlsMinVersion', 'transportInterface'],
      ...['transportInterfaceCIDRs', 'multicast', 'antreaProxy', 'multicluster', 'auditLogging'],
      ...[
        'secondaryNetwork',
        'clientConnection',
        'antreaClientConnection',
        'cniSocket',
        'hostProcPathPrefix',
      ],
      ...['nodeType', 'externalNode', 'policyBypassRules'],
    ].map(key => [key, NOT_OF_FLOWS]),
  ),
}
