package carafe.cli.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.Json;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What `docker inspect -f` of 28.2 answered for the same templates on the same document.
class TemplateTest {

    private static final Json DOCUMENT = document();

    private static Json document() {
        try {
            return Json.parseObject("""
                    {"Id":"8b25","Name":"/t1","State":{"Running":true,"Pid":7,"StartedAt":"2026-11-23T22:58:41Z"},
                     "Mounts":[],"Size":1.5,"Big":9007199254740993,
                     "Config":{"Env":["X=Y","PATH=/bin"],"Cmd":["sleep","1000"],"Labels":{"a":"b","c":"<d>"},"Image":"x"},
                     "HostConfig":{"Binds":null,"LogConfig":{"Type":"json-file","Config":{}}},
                     "NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}],"53/udp":null}}}
                    """.getBytes(StandardCharsets.UTF_8));
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static String run(String template) throws TemplateException {
        return Template.parse(template).execute(DOCUMENT);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '§', quoteCharacter = '¤', textBlock = """
            {{.Id}} § 8b25
            a{{.Name}}b § a/t1b
            {{.Config.Env}} § [X=Y PATH=/bin]
            {{.Config.Labels}} § map[a:b c:<d>]
            {{.Config.Labels.zz}} § <no value>
            {{.HostConfig.Binds}} § <no value>
            {{json .HostConfig.Binds}} § null
            {{json .Config.Labels}} § {"a":"b","c":"<d>"}
            {{json .Big}} {{.Big}} {{.Size}} § 9007199254740993 9007199254740993 1.5
            {{.Mounts}} § []
            {{if .State.Health}}a{{else}}b{{end}} § b
            {{if .State.Running}}up{{end}} § up
            {{if not .State.Running}}down{{else if eq .Name "/t1"}}mine{{else}}other{{end}} § mine
            {{if and .State.Running (eq .State.Pid 7)}}yes{{end}} § yes
            {{if or false ""}}yes{{else}}no{{end}} § no
            {{and 1 0 2}}|{{or 0 "x" 2}} § 0|x
            {{range $i, $e := .Config.Env}}{{$i}}={{$e}};{{end}} § 0=X=Y;1=PATH=/bin;
            {{range .Mounts}}m{{else}}none{{end}} § none
            {{range $k, $v := .Config.Labels}}{{$k}}:{{$v}} {{end}}. § a:b c:<d> .
            {{range 3}}{{.}}{{end}} § 012
            {{range .Config.Env}}{{.}}{{break}}{{end}} § X=Y
            {{range .Config.Env}}{{if eq . "X=Y"}}{{continue}}{{end}}{{.}}{{end}} § PATH=/bin
            {{with .Config}}{{.Image}}{{end}} § x
            {{with .State.Health}}x{{else with .Config.Image}}{{.}}{{end}} § x
            {{with $x := 3}}{{$x}}{{end}} § 3
            {{$x := 1}}{{range .Config.Env}}{{$x = 2}}{{end}}{{$x}} § 2
            {{define "t"}}<{{.}}>{{end}}{{template "t" .Id}}{{template "t" "q"}} § <8b25><q>
            {{block "b" .Id}}[{{.}}]{{end}} § [8b25]
            {{index .Config.Env 1}} {{index .Config.Labels "a"}} § PATH=/bin b
            {{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}} § 8080
            {{index .NetworkSettings.Ports "99/tcp"}} § <no value>
            {{range $p, $conf := .NetworkSettings.Ports}}{{$p}} -> {{with $conf}}{{(index . \
            0).HostPort}}{{end}};{{end}} § 53/udp -> ;80/tcp -> 8080;
            {{len .Config.Env}} {{len .Name}} {{len .Config.Labels}} § 2 3 2
            {{slice .Name 1 3}} {{slice .Config.Env 1}} § t1 [PATH=/bin]
            {{.Name | upper | printf "%s!"}} § /T1!
            {{lower "AbC"}} {{title "hello wORLD"}} {{truncate "hello" 3}} {{pad "x" 1 2}}. § abc Hello WORLD hel  x  .
            {{join .Config.Env ","}} {{split "a:b:c" ":"}} {{join (split "a,b" ",") "+"}} § X=Y,PATH=/bin [a b c] a+b
            {{html "<a>"}} {{js "it's"}} {{urlquery "a b"}} § &lt;a&gt; it\\'s a+b
            {{print 1 2 "a" "b" 3 true nil}} § 1 2ab3 true <nil>
            {{eq 1 1}} {{ne "a" "b"}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge "b" "a"}} {{eq .Name "x" "/t1"}} § \
            true true true true false true true
            a {{- " b " -}} c § a b c
            {{/* gone */}}x{{- /* too */ -}} y § xy
            {{printf "%d %s %v %q %5.2f|%-5s|%5s|%x %t %c %U %05d %+d" 1 "a" .Config.Env "q" 3.14159 "l" "r" \
            "hex" true 65 65 42 42}} § 1 a [X=Y PATH=/bin] "q"  3.14|l    |    r|686578 true A U+0041 00042 +42
            {{printf "%d %s" "a" 1}} {{printf "%d"}} {{printf "a" 1}} {{printf "%!"}} {{printf "%z" 1}} § \
            %!d(string=a) %!s(int=1) %!d(MISSING) a%!(EXTRA int=1) %!!(MISSING) %!z(int=1)
            {{printf "%T %T %T" 1 "s" true}} {{0x10}} {{'a'}} {{1_000}} {{"\\u00e9\\t|\\x41"}} {{`\\n`}} § int \
            string bool 16 97 1000 é\t|A \\n
            """, ignoreLeadingAndTrailingWhitespace = true)
    void printsWhatDockerPrints(String template, String output) throws Exception {
        String wanted = output.replace("\\t", "\t").replace("\\\\", "\\");
        assertThat(run(template.replace("\\\\", "\\"))).isEqualTo(wanted);
    }

    /// Docker's documents have these fields always.
    @ParameterizedTest
    @CsvSource(delimiter = '§', quoteCharacter = '¤', textBlock = """
            {{json .Config.Entrypoint}} {{.Config.Entrypoint}} {{len .Config.Entrypoint}} § null [] 0
            {{range .Config.Entrypoint}}x{{end}}{{if .Config.Shell}}x{{else}}none{{end}} § none
            {{json .Config.Volumes}} {{.Config.Volumes}} {{index .Config.ExposedPorts "1/tcp"}}. § null map[] <no value>.
            {{json .Config.StopSignal}} {{json .Config.WorkingDir}} {{.Author}}. {{.Config.ArgsEscaped}} § "" "" . false
            {{json .State.Health}} {{json .Config.Healthcheck}} {{.HostConfig.KernelMemory}} § null null 0
            """, ignoreLeadingAndTrailingWhitespace = true)
    void fieldsThatAreLeftOutAreEmpty(String template, String output) throws Exception {
        assertThat(run(template)).isEqualTo(output);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '§', quoteCharacter = '¤', textBlock = """
            {{.Foo}} § template: :1:2: executing "" at <.Foo>: map has no entry for key "Foo"
            {{.Config.Cmd.Foo}} § template: :1:9: executing "" at <.Config.Cmd.Foo>: can't evaluate field Foo \
            in type interface {}
            {{index .Config.Env 9}} § template: :1:2: executing "" at <index .Config.Env 9>: error calling \
            index: index out of range: 9
            {{foo}} § template: :1: function "foo" not defined
            {{ .Name § template: :1: unclosed action
            {{ § template: :1: unclosed action
            {{end}} § template: :1: unexpected {{end}}
            {{else}} § template: :1: unexpected {{else}}
            {{if}} § template: :1: missing value for if
            {{if .Name}} § template: :1: unexpected EOF
            {{index .Config.Entrypoint 0}} § template: :1:2: executing "" at <index .Config.Entrypoint 0>: error \
            calling index: index out of range: 0
            {{.Config.Entrypiont}} § template: :1:9: executing "" at <.Config.Entrypiont>: map has no entry for key \
            "Entrypiont"
            {{$x}} § template: :1: undefined variable "$x"
            {{.Name .Id}} § template: :1:2: executing "" at <.Name>: Name is not a method but has arguments
            {{"a" .Id}} § template: :1:2: executing "" at <"a">: can't give argument to non-function "a"
            {{lt 1 "a"}} § template: :1:2: executing "" at <lt 1 "a">: error calling lt: incompatible types for \
            comparison
            {{eq .Name 1}} § template: :1:2: executing "" at <eq .Name 1>: error calling eq: incompatible types \
            for comparison
            {{.Id.Foo}} § template: :1:5: executing "" at <.Id.Foo>: can't evaluate field Foo in type interface {}
            {{template "x"}} § template: :1:11: executing "" at <{{template "x"}}>: template "x" not defined
            {{.Config.Labels.a.b}} § template: :1:9: executing "" at <.Config.Labels.a.b>: can't evaluate field \
            b in type interface {}
            {{1 | 2}} § template: :1: non executable command in pipeline stage 2
            {{nil}} § template: :1:2: executing "" at <nil>: nil is not a command
            {{"a}} § template: :1: unterminated quoted string
            {{ 3a }} § template: :1: bad number syntax: "3a"
            {{%}} § template: :1: unexpected "%" in command
            {{slice .Name 1 300}} § template: :1:2: executing "" at <slice .Name 1 300>: error calling slice: \
            index out of range: 300
            {{(.Id}} § template: :1: unclosed left paren
            {{break}} § template: :1: {{break}} outside {{range}}
            """)
    void mistakesAreWordedAsGo(String template, String sentence) {
        assertThatThrownBy(() -> run(template)).isInstanceOf(TemplateException.class).hasMessage(sentence);
    }

    @Test
    void errorsNameTheLine() {
        assertThatThrownBy(() -> run("a\nb {{.Foo}}")).hasMessageStartingWith("template: :2:4: ");
    }

    @Test
    void recursionIsBounded() {
        assertThatThrownBy(() -> run("{{define \"x\"}}{{template \"x\"}}{{end}}{{template \"x\"}}"))
                .hasMessageContaining("exceeded maximum template depth");
        assertThatThrownBy(() -> run("{{" + "(".repeat(5000) + "1" + ")".repeat(5000) + "}}"))
                .hasMessageContaining("exceeded maximum nesting depth");
    }

    @Test
    void anyTextEitherRunsOrIsRefusedWithASentence() {
        long seed = Long.getLong("seed", 7_281_940L);
        var random = new Random(seed);
        String[] pieces = {
            "{{", "}}", "{{-", "-}}", " ", ".", ".Id", ".Config", ".Env", "$x", "$", ":=", "=", "|", "(", ")", "\"a\"", "`b`",
            "if", "else", "end", "range", "with", "define", "template", "block", "break", "continue", "nil", "true", "1", "0x",
            "1.5", "-3", "'c'", "eq", "and", "or", "not", "len", "index", "slice", "print", "printf", "\"%d%5.3s%*v\"", "json",
            "join", "split", "pad", "truncate", ",", "/*", "*/", "\n", "text", "\"", "%", "\\"
        };
        for (int round = 0; round < 30_000; round++) {
            var template = new StringBuilder();
            for (int piece = random.nextInt(14); piece >= 0; piece--) {
                template.append(pieces[random.nextInt(pieces.length)]).append(random.nextBoolean() ? " " : "");
            }
            try {
                run(template.toString());
            } catch (TemplateException e) {
                assertThat(e.getMessage()).as("seed %d, template %s", seed, template).startsWith("template: :");
            } catch (RuntimeException | StackOverflowError e) {
                throw new AssertionError("seed " + seed + ", template " + template, e);
            }
        }
    }

    /// Three templates that would count for longer than anybody waits.
    @ParameterizedTest
    @ValueSource(strings = {"{{range 1000000}}{{range 1000000}}{{end}}{{end}}",
        "{{range 1000000}}{{range 1000000}}{{range 1000000}}x{{end}}{{end}}{{end}}",
        "{{define \"t\"}}{{range 1000000}}{{template \"u\"}}{{end}}{{end}}{{define \"u\"}}{{range 1000000}}{{end}}{{end}}{{template \"t\"}}"})
    @Timeout(60)
    void whoCountsForYearsCanBeInterrupted(String template) {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> run(template)).isInstanceOf(TemplateException.class)
                .hasMessage("the template was interrupted");
        assertThat(Thread.interrupted()).isTrue();
    }
}
