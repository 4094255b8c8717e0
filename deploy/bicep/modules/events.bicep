// Tells the rotator when somebody wrote a secret or regenerated a key: Event Grid delivers both into the queue
// azure-events, under identities that may do nothing else.
param location string
param prefix string
param vaultId string
param namespaceName string
param queueId string
param roleIds object

resource vaultTopic 'Microsoft.EventGrid/systemTopics@2022-06-15' = {
  name: '${prefix}-vault'
  location: location
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: vaultId
    topicType: 'Microsoft.KeyVault.vaults'
  }
}

// A subscription has one topic of this kind: when there is one already, add the event subscription to that.
resource subscriptionTopic 'Microsoft.EventGrid/systemTopics@2022-06-15' = {
  name: '${prefix}-subscription'
  location: 'global'
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: subscription().id
    topicType: 'Microsoft.Resources.Subscriptions'
  }
}

module delivery 'service-bus-roles.bicep' = [for (topic, index) in ['vault', 'subscription']: {
  name: 'deliver-${topic}-events'
  params: {
    namespaceName: namespaceName
    identities: [
      {
        name: 'event-grid'
        principalId: index == 0 ? vaultTopic.identity.principalId : subscriptionTopic.identity.principalId
      }
    ]
    roleIds: roleIds
    features: ['events']
  }
}]

resource secretsWritten 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2022-06-15' = {
  parent: vaultTopic
  name: 'secrets-written'
  properties: {
    deliveryWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      destination: {
        endpointType: 'ServiceBusQueue'
        properties: {
          resourceId: queueId
        }
      }
    }
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: {
      includedEventTypes: ['Microsoft.KeyVault.SecretNewVersionCreated']
    }
  }
  dependsOn: [delivery]
}

resource keysRegenerated 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2022-06-15' = {
  parent: subscriptionTopic
  name: 'keys-regenerated'
  properties: {
    deliveryWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      destination: {
        endpointType: 'ServiceBusQueue'
        properties: {
          resourceId: queueId
        }
      }
    }
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: {
      includedEventTypes: ['Microsoft.Resources.ResourceActionSuccess']
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: ['Microsoft.CognitiveServices/accounts/regenerateKey/action']
        }
      ]
    }
  }
  dependsOn: [delivery]
}
