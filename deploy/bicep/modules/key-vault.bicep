// A vault for the keys under care and nothing else: the rotator's right to write is for all of it.
param location string
param name string
param rotatorPrincipalId string
param roleIds object

@description('Addresses from which the cluster goes out; empty leaves the vault open to every network, behind Entra.')
param allowedAddresses array = []

param workspaceId string = ''

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    // Nobody, not even its owner, can make a deleted secret impossible to bring back before the time is over.
    enablePurgeProtection: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: empty(allowedAddresses) ? 'Allow' : 'Deny'
      ipRules: map(allowedAddresses, address => {
        value: address
      })
    }
  }
}

resource publisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, rotatorPrincipalId, 'twinkey secret publisher')
  scope: vault
  properties: {
    principalId: rotatorPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: roleIds['twinkey secret publisher']
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = {
  scope: vault
  name: 'keys-in-use'
  properties: {
    level: 'CanNotDelete'
    notes: 'Applications read their keys from here.'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(workspaceId)) {
  scope: vault
  name: 'twinkey'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'audit'
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

output id string = vault.id
output name string = vault.name
output url string = vault.properties.vaultUri
