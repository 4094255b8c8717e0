// Lets one application use keys: read its own secrets, hear of changes, acknowledge them. Deployed beside main.bicep, once
// for each application. The secret must exist, and does after the rotator published the account's first key.
@description('The principal id of the application\'s managed identity.')
param principalId string

param namespaceName string
param vaultName string

@description('Names of the secrets that it reads: the accounts\' names, unless twinkey.yaml says otherwise.')
param secretNames array

// All of an application's roles are Azure's own.
var roleIds = toObject(
  items(any(loadJsonContent('../roles.json')).builtIn),
  role => role.key,
  role => subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
)

module messages 'modules/service-bus-roles.bicep' = {
  name: 'messages-for-${uniqueString(principalId)}'
  params: {
    namespaceName: namespaceName
    identities: [
      {
        name: 'consumer'
        principalId: principalId
      }
    ]
    roleIds: roleIds
    features: ['consumers']
  }
}

module secrets 'modules/secret-roles.bicep' = {
  name: 'secrets-for-${uniqueString(principalId)}'
  params: {
    principalId: principalId
    vaultName: vaultName
    secretNames: secretNames
    roleIds: roleIds
  }
}
