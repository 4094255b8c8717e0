// The namespace and every entity of the topology. Instances of consumers get their subscriptions at run time.
param location string
param name string

@description('Where logs and metrics go; nowhere when empty.')
param workspaceId string = ''

// Generated from libs/contracts/src/topology.ts; the broker of development is built from the same source.
var topology = any(loadJsonContent('../topology.json'))

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: name
  location: location
  // The smallest tier that has topics and finds duplicates.
  sku: {
    name: 'Standard'
    tier: 'Standard'
  }
  properties: {
    // No connection string opens it: whoever wants in has an identity and a role.
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
  }
}

resource queues 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [for queue in topology.queues: {
  parent: namespace
  name: queue
  properties: {
    lockDuration: topology.defaults.lockDuration
    maxDeliveryCount: topology.defaults.maxDeliveryCount
    defaultMessageTimeToLive: topology.defaults.timeToLive
    requiresDuplicateDetection: true
    duplicateDetectionHistoryTimeWindow: topology.defaults.duplicateDetectionWindow
    deadLetteringOnMessageExpiration: true
  }
}]

resource topics 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' = [for topic in topology.topics: {
  parent: namespace
  name: topic
  properties: {
    defaultMessageTimeToLive: topology.defaults.timeToLive
    requiresDuplicateDetection: true
    duplicateDetectionHistoryTimeWindow: topology.defaults.duplicateDetectionWindow
  }
}]

resource subscriptions 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01' = [for subscription in topology.subscriptions: {
  name: '${namespace.name}/${subscription.topic}/${subscription.name}'
  properties: {
    lockDuration: topology.defaults.lockDuration
    maxDeliveryCount: topology.defaults.maxDeliveryCount
    defaultMessageTimeToLive: topology.defaults.timeToLive
    deadLetteringOnMessageExpiration: true
  }
  dependsOn: [topics]
}]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(workspaceId)) {
  scope: namespace
  name: 'twinkey'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

output name string = namespace.name
output host string = '${namespace.name}.servicebus.windows.net'
output eventsQueueId string = resourceId('Microsoft.ServiceBus/namespaces/queues', namespace.name, 'azure-events')
