// An application reads its own secrets, and no other of the vault.
param principalId string
param vaultName string
param secretNames array
param roleIds object

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: vaultName
}

resource secrets 'Microsoft.KeyVault/vaults/secrets@2023-07-01' existing = [for secret in secretNames: {
  parent: vault
  name: secret
}]

resource reading 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (secret, index) in secretNames: {
  name: guid(secrets[index].id, principalId, 'Key Vault Secrets User')
  scope: secrets[index]
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: roleIds['Key Vault Secrets User']
  }
}]
