// Who may send to and receive from which entity: deploy/roles.json, one entity at a time and never the namespace.
param namespaceName string

@description('Identities to assign roles to: name (as in deploy/roles.json) and principalId.')
param identities array

@description('The id of each role, by its name.')
param roleIds object

@description('Parts of the installation that are wanted: dead-letters, autoscaling, events, consumers.')
param features array

var roles = any(loadJsonContent('../../roles.json'))
var topology = any(loadJsonContent('../topology.json'))
var principals = toObject(identities, identity => identity.name, identity => identity.principalId)

var wanted = filter(
  roles.assignments,
  assignment => contains(principals, assignment.identity) && (!contains(assignment, 'only') || contains(features, assignment.only))
)
var queueGrants = filter(wanted, assignment => assignment.at == 'queue')
var subscriptionGrants = filter(wanted, assignment => assignment.at == 'subscription')
var topicGrants = concat(
  filter(wanted, assignment => assignment.at == 'topic'),
  flatten(map(
    filter(wanted, assignment => assignment.at == 'key-changed-topic'),
    assignment => map(topology.keyChangedTopics, topic => {
      identity: assignment.identity
      role: assignment.role
      name: topic
    })
  ))
)

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: namespaceName
}

resource queues 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' existing = [for grant in queueGrants: {
  parent: namespace
  name: grant.name
}]

resource topics 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' existing = [for grant in topicGrants: {
  parent: namespace
  name: grant.name
}]

resource subscriptions 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01' existing = [for grant in subscriptionGrants: {
  name: '${namespaceName}/${grant.name}'
}]

resource queueAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (grant, index) in queueGrants: {
  name: guid(queues[index].id, principals[grant.identity], grant.role)
  scope: queues[index]
  properties: {
    principalId: principals[grant.identity]
    principalType: 'ServicePrincipal'
    roleDefinitionId: roleIds[grant.role]
  }
}]

resource topicAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (grant, index) in topicGrants: {
  name: guid(topics[index].id, principals[grant.identity], grant.role)
  scope: topics[index]
  properties: {
    principalId: principals[grant.identity]
    principalType: 'ServicePrincipal'
    roleDefinitionId: roleIds[grant.role]
  }
}]

resource subscriptionAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (grant, index) in subscriptionGrants: {
  name: guid(subscriptions[index].id, principals[grant.identity], grant.role)
  scope: subscriptions[index]
  properties: {
    principalId: principals[grant.identity]
    principalType: 'ServicePrincipal'
    roleDefinitionId: roleIds[grant.role]
  }
}]
