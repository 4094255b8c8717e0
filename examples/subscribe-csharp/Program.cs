// Uses the key of one account and follows its rotations, as examples/subscribe-python does.
// What to mind: docs/how-to/subscribe-from-other-languages.md.
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Azure.Core;
using Azure.Identity;
using Azure.Messaging.ServiceBus;
using Azure.Security.KeyVault.Secrets;

var lookEvery = TimeSpan.FromMinutes(1); // a message only makes it sooner
var account = Setting("TWINKEY_ACCOUNT"); // its ARM id
var secret = new KeyVaultSecretIdentifier(new Uri(Setting("TWINKEY_SECRET"))); // https://….vault.azure.net/secrets/NAME
var consumer = Setting("TWINKEY_CONSUMER");
var scope = new TokenRequestContext(new[] { Setting("TWINKEY_API_AUDIENCE") + "/.default" });
var acknowledgements = new Uri(
    new Uri(Setting("TWINKEY_NOTIFIER_URL")), $"/v1/consumers/{consumer}/acknowledgements");

TokenCredential credential = new DefaultAzureCredential();
var vault = new SecretClient(secret.VaultUri, credential);
using var http = new HttpClient { Timeout = KeyInUse.LongestCall };
using var stopping = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) => { pressed.Cancel = true; stopping.Cancel(); };

var keys = new KeyInUse(
    read: async () =>
    {
        var newest = (await vault.GetSecretAsync(secret.Name)).Value; // no version: what is current by now
        return Key.Published(account, newest.Value, newest.Properties.Tags);
    },
    acknowledge: async generation =>
    {
        var token = await credential.GetTokenAsync(scope, default);
        using var request = new HttpRequestMessage(HttpMethod.Post, acknowledgements);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Token);
        request.Content = JsonContent.Create(new { account, generation });
        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        if (answer.StatusCode != HttpStatusCode.OK)
            throw new NotYetException($"the notifier answered {(int)answer.StatusCode}: {text}");
        return JsonDocument.Parse(text).RootElement.GetProperty("published").GetInt64();
    });

await keys.RefreshAsync(); // first of all a key; without one there is nothing to start
await Tried(() => keys.CatchUpAsync()); // rotations may have been waiting for this process

await using var bus = new ServiceBusClient(Setting("TWINKEY_SERVICE_BUS_NAMESPACE"), credential);
await using var processor = bus.CreateProcessor(
    Environment.GetEnvironmentVariable("TWINKEY_TOPIC") ?? "key-changed-0",
    Setting("TWINKEY_SUBSCRIPTION"),
    new ServiceBusProcessorOptions
    {
        AutoCompleteMessages = false,
        MaxConcurrentCalls = 1,
        MaxAutoLockRenewalDuration = 4 * KeyInUse.LongestCall,
    });
processor.ProcessMessageAsync += async received =>
{
    var done = await Tried(async () =>
    {
        if (Announced(received.Message.Body.ToString(), account) is { } wanted) await keys.CatchUpAsync(wanted);
    });
    if (done)
    {
        await received.CompleteMessageAsync(received.Message);
        return;
    }
    await Task.Delay(TimeSpan.FromSeconds(5));
    await received.AbandonMessageAsync(received.Message); // comes again; after ten times it becomes a dead letter
};
processor.ProcessErrorAsync += failed =>
{
    Console.Error.WriteLine($"receives nothing: {failed.Exception.Message}");
    return Task.CompletedTask; // a broker that is away costs a minute, not the key
};
await processor.StartProcessingAsync();

var following = Every(lookEvery, () => keys.CatchUpAsync()); // messages expire, and may never have come
var working = Every(TimeSpan.FromSeconds(1), async () => // what the program is there for
{
    using var response = await keys.CallAsync(Languages);
    response.EnsureSuccessStatusCode();
});
await Task.WhenAll(following, working);
await processor.StopProcessingAsync();

Task<HttpResponseMessage> Languages(string key)
{
    var url = Setting("ENDPOINT").TrimEnd('/') + "/text/analytics/v3.1/languages";
    var request = new HttpRequestMessage(HttpMethod.Post, url);
    request.Headers.Add("Ocp-Apim-Subscription-Key", key);
    request.Content = JsonContent.Create(new { documents = new[] { new { id = "1", text = "Guten Morgen" } } });
    return http.SendAsync(request); // with the whole body, so that the call is over when this is
}

async Task Every(TimeSpan period, Func<Task> work)
{
    using var timer = new PeriodicTimer(period);
    try
    {
        while (await timer.WaitForNextTickAsync(stopping.Token)) await Tried(work);
    }
    catch (OperationCanceledException)
    {
        // the process ends
    }
}

// Whatever it is, the key in use works on, and the next look tries again.
static async Task<bool> Tried(Func<Task> work)
{
    try
    {
        await work();
        return true;
    }
    catch (Exception error)
    {
        Console.Error.WriteLine($"is tried again: {error.GetType().Name}: {error.Message}");
        return false;
    }
}

// The generation that a message tells of. null: it is about another account, or of a kind that came later.
static long? Announced(string body, string account)
{
    var message = JsonDocument.Parse(body).RootElement;
    if (message.GetProperty("type").GetString() != "com.twinkey.key.changed.v1") return null;
    var data = message.GetProperty("data");
    var same = string.Equals(data.GetProperty("account").GetString(), account, StringComparison.OrdinalIgnoreCase);
    return same ? data.GetProperty("generation").GetInt64() : null;
}

static string Setting(string name) =>
    Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException($"{name} is not set.");

/// <summary>The key cannot be acknowledged now; it is tried again.</summary>
sealed class NotYetException(string message) : Exception(message);

/// <summary>A class and not a record: a record would print the key.</summary>
sealed partial class Key(long generation, string value)
{
    public long Generation { get; } = generation;
    public string Value { get; } = value;

    /// <summary>The key in a version; null: without the tags of a publication, so somebody else wrote it.</summary>
    public static Key? Published(string account, string value, IDictionary<string, string> tags)
    {
        tags.TryGetValue("twinkey-account", out var owner);
        tags.TryGetValue("twinkey-generation", out var number);
        string[] owners = [account, account.Split('/')[^1]]; // an id too long for a tag leaves the name
        var ours = owners.Contains(owner ?? "", StringComparer.OrdinalIgnoreCase);
        if (!ours || value.Length == 0 || !Number().IsMatch(number ?? "")) return null;
        return new Key(long.Parse(number!), value);
    }

    [GeneratedRegex(@"^[1-9][0-9]{0,14}\z")]
    private static partial Regex Number();
}

/// <summary>The key that this process uses, and the calls that are under way with it.</summary>
sealed class KeyInUse(Func<Task<Key?>> read, Func<long, Task<long>> acknowledge)
{
    public static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(30);

    private readonly object _gate = new();
    private readonly Dictionary<long, int> _underWay = [];
    private Key? _key;

    /// <summary>Sends with the key; if it is refused, once more with a newer one that the vault has.</summary>
    public async Task<HttpResponseMessage> CallAsync(Func<string, Task<HttpResponseMessage>> send)
    {
        var (used, response) = await SendAsync(send);
        if (response.StatusCode != HttpStatusCode.Unauthorized) return response;
        try
        {
            if ((await RefreshAsync()).Generation == used.Generation) return response;
        }
        catch (Exception)
        {
            return response; // the vault does not answer: the refusal stands
        }
        response.Dispose();
        return (await SendAsync(send)).Response;
    }

    /// <summary>Reads the vault and moves to the key there, never back and never to one of unknown origin.</summary>
    public async Task<Key> RefreshAsync(long wanted = 0)
    {
        var found = await read();
        lock (_gate)
        {
            if (found is not null && found.Generation > (_key?.Generation ?? 0))
            {
                _key = found;
                Console.WriteLine($"uses generation {found.Generation}");
            }
            if (_key is null || _key.Generation < wanted)
                throw new NotYetException($"the vault does not show a published key of generation {Math.Max(wanted, 1)} or later");
            return _key;
        }
    }

    /// <summary>Moves, waits until nothing signed with an older key is under way, and only then says so.</summary>
    public async Task CatchUpAsync(long wanted = 0)
    {
        var key = await RefreshAsync(wanted);
        var until = DateTimeOffset.UtcNow + 2 * LongestCall;
        while (IsUnderWayBefore(key.Generation))
        {
            if (DateTimeOffset.UtcNow > until) throw new NotYetException("calls with an older key are still under way");
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
        var newest = await acknowledge(key.Generation);
        if (newest > key.Generation)
            throw new NotYetException($"generation {newest} is published, and the vault showed {key.Generation}");
    }

    private async Task<(Key Key, HttpResponseMessage Response)> SendAsync(Func<string, Task<HttpResponseMessage>> send)
    {
        Key key;
        lock (_gate)
        {
            key = _key ?? throw new NotYetException("no key was read so far");
            _underWay[key.Generation] = _underWay.GetValueOrDefault(key.Generation) + 1;
        }
        try
        {
            return (key, await send(key.Value));
        }
        finally
        {
            lock (_gate) _underWay[key.Generation] -= 1;
        }
    }

    private bool IsUnderWayBefore(long generation)
    {
        lock (_gate) return _underWay.Any(calls => calls.Key < generation && calls.Value > 0);
    }
}
