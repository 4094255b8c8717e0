// What rotator and scheduler may do at one account. Deployed into the account's resource group.
param accountName string
param rotatorPrincipalId string
param schedulerPrincipalId string
param roleIds object

resource account 'Microsoft.CognitiveServices/accounts@2023-05-01' existing = {
  name: accountName
}

resource rotation 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, rotatorPrincipalId, 'twinkey key rotator')
  scope: account
  properties: {
    principalId: rotatorPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: roleIds['twinkey key rotator']
  }
}

resource reading 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, schedulerPrincipalId, 'twinkey account reader')
  scope: account
  properties: {
    principalId: schedulerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: roleIds['twinkey account reader']
  }
}
