// Lets the scheduler list the accounts of a subscription, to find those that carry a tag. It sees no key by that.
targetScope = 'subscription'

param schedulerPrincipalId string
param roleIds object

resource reading 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, schedulerPrincipalId, 'twinkey account reader')
  properties: {
    principalId: schedulerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: roleIds['twinkey account reader']
  }
}
