package carafe.cli.create;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.cli.client.Target;
import carafe.cli.flag.FlagException;
import carafe.cli.flag.Flags;
import carafe.cli.session.Caller;
import carafe.cli.session.TestSession;
import carafe.spec.Json;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `bodies.json` holds what `docker` 28.2 sent for the same words.
class CreateRequestTest {

    private final TestSession session = new TestSession();

    private CreateRequest request(List<String> words, boolean detached) throws Exception {
        session.file("env", "A=1\n# c\n\nHOMELESS\n B=2\n");
        session.file("labels", "x=y\nz\n");
        session.file("sec.json", "{\"defaultAction\": \"SCMP_ACT_ALLOW\"}");
        var flags = new Flags();
        ContainerFlags.add(flags);
        flags.bool("d,detach", "");
        flags.text("detach-keys", "");
        flags.text("pull", "");
        flags.parse(words);
        var context = new CreateRequest.Context(flags.words(), detached, Map.of(), "/run/engine.sock");
        return CreateRequest.of(flags, context, session.session());
    }

    @TestFactory
    Stream<DynamicTest> sendsWhatDockerSends() throws Exception {
        try (InputStream in = CreateRequestTest.class.getResourceAsStream("bodies.json")) {
            var tests = new ArrayList<DynamicTest>();
            for (var element : ((Json.Arr) Json.parse(in.readAllBytes())).elements()) {
                var test = (Json.Obj) element;
                var words = test.texts("args");
                tests.add(DynamicTest.dynamicTest(String.join(" ", words), () -> compare(test, words)));
            }
            assertThat(tests).hasSizeGreaterThan(35);
            return tests.stream();
        }
    }

    private void compare(Json.Obj test, List<String> words) throws Exception {
        boolean detached = words.getFirst().equals("run") && words.contains("-d");
        var flags = words.subList(1, words.size());
        if (!test.text("error").isEmpty()) {
            assertThatThrownBy(() -> request(flags, detached)).hasMessage(test.text("error"));
            return;
        }
        var request = request(flags, detached);
        assertThat(said(request.body())).isEqualTo(said(test.object("body")));
        assertThat(Target.of("x").given("name", request.name()).given("platform", request.platform()).toString().substring(2))
                .isEqualTo(test.text("target"));
    }

    /// What a document says: without nulls, zeros, empty things, and the two defaults Docker always spells out.
    private static Object said(Json json) {
        return switch (json) {
            case Json.Obj(var fields) -> {
                var said = new TreeMap<String, Object>();
                fields.forEach((name, value) -> {
                    Object inner = said(value);
                    boolean spelled = name.equals("ConsoleSize") || name.equals("MemorySwappiness") && "-1".equals(inner);
                    if (!"".equals(inner) && !spelled) {
                        said.put(name, inner);
                    }
                });
                yield said.isEmpty() ? "" : said;
            }
            case Json.Arr(var elements) -> elements.isEmpty() ? "" : elements.stream().map(CreateRequestTest::said).toList();
            case Json.Str(var text) -> text;
            case Json.Num number -> number.number().signum() == 0 ? "" : number.toString();
            case Json.Bool(boolean truth) -> truth ? "true" : "";
            case Json.Null() -> "";
        };
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '§', textBlock = """
            type=volume,src=d,dst=/a,volume-label=a=b,volume-label=c,volume-driver=local,volume-opt=size=1m | \
            {"Type":"volume","Source":"d","Target":"/a","VolumeOptions":{"Labels":{"a":"b","c":""},\
            "DriverConfig":{"Name":"local","Options":{"size":"1m"}}}}
            type=volume,src=d,dst=/a,volume-subpath=sub/dir,volume-nocopy | \
            {"Type":"volume","Source":"d","Target":"/a","VolumeOptions":{"Subpath":"sub/dir","NoCopy":true}}
            type=bind,src=/h,dst=/a,bind-create-src | \
            {"Type":"bind","Source":"/h","Target":"/a","BindOptions":{"CreateMountpoint":true}}
            type=bind,src=/h,dst=/a,bind-create-src=true | \
            {"Type":"bind","Source":"/h","Target":"/a","BindOptions":{"CreateMountpoint":true}}
            """)
    void mountsAreWhatTheirFieldsSay(String mount, String json) throws Exception {
        var body = request(List.of("--mount", mount, "busybox"), false).body();
        assertThat(said(body.object("HostConfig").list("Mounts").getFirst())).isEqualTo(said(Json.parse(json)));
    }

    @Test
    void theUserWhoCallsIsTheOneThatIsKept() throws Exception {
        session.ids = Optional.of(new Caller.Ids(1234, 5678));
        assertThat(request(List.of("--userns", "keep-id", "busybox"), false).body().object("HostConfig").text("UsernsMode"))
                .isEqualTo("keep-id:uid=1234,gid=5678");
        assertThat(request(List.of("--userns", "keep-id:uid=7", "busybox"), false).body().object("HostConfig")
                .text("UsernsMode")).isEqualTo("keep-id:uid=7");
        session.ids = Optional.of(new Caller.Ids(0, 5678));
        assertThatThrownBy(() -> request(List.of("--userns", "keep-id", "busybox"), false))
                .hasMessageStartingWith("--userns=keep-id would keep root: choose --userns=auto");
        session.ids = Optional.empty();
        assertThatThrownBy(() -> request(List.of("--userns", "keep-id", "busybox"), false))
                .hasMessage("--userns=keep-id: whose id is kept cannot be found out: /proc: no such file or directory");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '§', textBlock = """
            -p x | invalid containerPort: x
            -p 1:2:3:4:5 | invalid IP address: 1:2:3
            -p 1-3:5-6 | invalid ranges specified for container and host Ports: 5-6 and 1-3
            -p 80/foo | invalid proto: foo
            --expose 1:2 | invalid port format for --expose: 1:2
            --restart always --rm | conflicting options: cannot specify both --restart and --rm
            --restart on-failure:x | invalid restart policy format: maximum retry count must be an integer
            --security-opt foo | invalid --security-opt: "foo"
            --security-opt seccomp=none.json | opening seccomp profile (none.json) failed: open \
            /home/user/none.json: no such file or directory
            --env-file nope | open /home/user/nope: no such file or directory
            --no-healthcheck --health-cmd x | --no-healthcheck conflicts with --health-* options
            --health-interval -1s | --health-interval cannot be negative
            --pid foo | --pid: invalid PID mode
            --memory-swappiness 101 | invalid value: 101. Valid memory swappiness range is 0-100
            --network host --network mine | conflicting options: cannot attach both user-defined and \
            non-user-defined network-modes
            --network a --network a | network "a" is specified multiple times
            --mac-address zz | zz is not a valid mac address
            --device relative | 'relative' is not an absolute path
            -v a: | invalid spec: a:: empty section between colons
            --log-driver none --log-opt a=b | invalid logging opts for driver none
            """)
    void contradictionsAreRefused(String words, String sentence) {
        var all = new ArrayList<>(List.of(words.split(" ")));
        all.add("busybox");
        assertThatThrownBy(() -> request(all, false)).isInstanceOf(CreateException.class).hasMessage(sentence);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '§', textBlock = """
            --mount type=bind | target is required
            --mount type=tmpfs,dst=/a,volume-nocopy | cannot mix 'volume-*' options with mount type 'tmpfs'
            --mount type=bind,src=/h,dst=/a,volume-subpath=s | cannot mix 'volume-*' options with mount type 'bind'
            --mount foo=bar,dst=/a | unexpected key 'foo' in 'foo=bar'
            --mount dst | invalid field 'dst' must be a key=value pair
            --ulimit foo=1 | invalid ulimit type: foo
            --ulimit nofile=5:2 | ulimit soft limit must be less than or equal to hard limit: 5 > 2
            --add-host a | bad format for add-host: "a"
            --dns 300.1.1.1 | IP address is not correctly formatted: 300.1.1.1
            --sysctl foo=1 | sysctl 'foo=1' is not allowed
            -a foo | valid streams are STDIN, STDOUT and STDERR
            --device-cgroup-rule x | invalid device cgroup format 'x'
            --blkio-weight-device /dev/a:5 | invalid weight for device: /dev/a:5
            """)
    void wrongValuesAreRefusedWhereTheyStand(String words, String sentence) {
        var all = new ArrayList<>(List.of(words.split(" ")));
        all.add("busybox");
        assertThatThrownBy(() -> request(all, false)).isInstanceOf(FlagException.class).hasMessageEndingWith(sentence);
    }

    @Test
    void proxiesOfTheSettingsReachTheContainerUnlessSetByHand() throws Exception {
        var flags = new Flags();
        ContainerFlags.add(flags);
        flags.parse(List.of("-e", "http_proxy=mine", "busybox"));
        var context = new CreateRequest.Context(flags.words(), false, Map.of("httpProxy", "http://p"), "");
        var body = CreateRequest.of(flags, context, session.session()).body();
        assertThat(body.texts("Env")).containsExactly("http_proxy=mine", "HTTP_PROXY=http://p");
    }
}
