package carafe.cli.build;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.cli.session.TestSession;
import carafe.spec.Json;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// One build, shown in every style. The clock stands still.
class BuildProgressTest {

    private final TestSession caller = new TestSession();

    private static Json.Obj event(String json) throws Exception {
        return Json.parseObject(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    private static List<Json.Obj> events() throws Exception {
        String printed = Base64.getEncoder().encodeToString("one\ntwo\033[2J\n".getBytes(StandardCharsets.UTF_8));
        return List.of(event("{'event':'planned','vertices':[{'stage':'','number':1,'total':3,'text':'FROM busybox'},"
                        + "{'stage':'','number':2,'total':3,'text':'COPY a /a'},"
                        + "{'stage':'','number':3,'total':3,'text':'RUN make'}]}"),
                event("{'event':'started','vertex':0}"), event("{'event':'done','vertex':0,'cached':false}"),
                event("{'event':'started','vertex':1}"), event("{'event':'done','vertex':1,'cached':true}"),
                event("{'event':'started','vertex':2}"),
                event("{'event':'log','vertex':2,'stream':1,'bytes':'" + printed + "'}"));
    }

    private BuildProgress shown(BuildProgress.Style style) throws Exception {
        var progress = new BuildProgress(caller.session(), style);
        for (var event : events()) {
            progress.on(event);
        }
        return progress;
    }

    @Test
    void plainHasALineForEverything() throws Exception {
        var progress = shown(BuildProgress.Style.PLAIN);
        progress.on(event("{'event':'done','vertex':2,'cached':false}"));
        progress.end();
        assertThat(caller.errors()).isEqualTo("""

                #1 [1/3] FROM busybox
                #1 DONE 0.0s

                #2 [2/3] COPY a /a
                #2 CACHED

                #3 [3/3] RUN make
                #3 0.000 one
                #3 0.000 two\033[2J
                #3 DONE 0.0s
                """);
    }

    @Test
    void whatIsPrintedBehindTheLastNewlineIsNotLost() throws Exception {
        for (String end : List.of("{'event':'done','vertex':2,'cached':false}",
                "{'event':'failed','vertex':2,'message':'exit 4'}")) {
            var progress = shown(BuildProgress.Style.PLAIN);
            String printed = Base64.getEncoder().encodeToString("lost words".getBytes(StandardCharsets.UTF_8));
            progress.on(event("{'event':'log','vertex':2,'stream':1,'bytes':'" + printed + "'}"));
            progress.on(event(end));
            progress.end();
        }
        String[] twice = caller.errors().split("#3 0.000 lost words\n", -1);
        assertThat(twice).hasSize(3);
        assertThat(twice[1]).startsWith("#3 DONE");
        assertThat(twice[2]).isEqualTo("""
                #3 ERROR: exit 4
                ------
                 > [3/3] RUN make:
                0.000 one
                0.000 two\033[2J
                0.000 lost words
                ------
                """);
    }

    @Test
    void aTerminalHasAHeadAndTheStepsWithTheirLastLines() throws Exception {
        caller.terminal = true;
        var progress = shown(BuildProgress.Style.TTY);
        String before = caller.errors();
        String last = before.substring(before.lastIndexOf("[+] Building"));
        assertThat(last).isEqualTo("[+] Building 0.0s (2/3)\n"
                + " => [1/3] FROM busybox" + " ".repeat(74) + "0.0s\n"
                + " => CACHED [2/3] COPY a /a" + " ".repeat(70) + "0.0s\n"
                + " => [3/3] RUN make" + " ".repeat(78) + "0.0s\n"
                + " => => # 0.000 one\n => => # 0.000 two [2J\n"); // what a program prints moves no cursor
        progress.on(event("{'event':'done','vertex':2,'cached':false}"));
        progress.end();
        String whole = caller.errors();
        assertThat(whole.substring(whole.lastIndexOf("[+] Building"))).startsWith("[+] Building 0.0s (3/3) FINISHED\n")
                .doesNotContain("one");
    }

    @Test
    @Timeout(60)
    void theTerminalIsRedrawnWhileNothingHappens() throws Exception {
        caller.terminal = true;
        var progress = shown(BuildProgress.Style.TTY);
        int before = caller.errors().length();
        while (caller.errors().length() == before) {
            Thread.onSpinWait(); // the test's own limit ends it where nothing comes
        }
        progress.end();
    }

    @Test
    void rawJsonIsBuildKitsStatus() throws Exception {
        shown(BuildProgress.Style.RAWJSON).end();
        var lines = caller.errors().lines().toList();
        assertThat(lines).hasSize(7);
        var first = event(lines.getFirst()).objects("vertexes").getFirst();
        var second = event(lines.get(1)).objects("vertexes").getFirst();
        assertThat(first.text("name")).isEqualTo("[1/3] FROM busybox");
        assertThat(first.text("digest")).startsWith("sha256:").isEqualTo(second.text("digest"));
        assertThat(first.find("completed")).isEmpty();
        assertThat(second.text("completed")).isEqualTo("2025-12-05T12:00:00Z");
        assertThat(event(lines.get(3)).objects("vertexes").getFirst().truth("cached")).isTrue();
        assertThat(event(lines.getLast()).objects("vertexes").getFirst().text("error")).isEqualTo("context canceled");
        var log = event(lines.get(5)).objects("logs").getFirst();
        assertThat(Base64.getDecoder().decode(log.text("data"))).startsWith('o', 'n', 'e', '\n');
        assertThat(log.number("stream", 0)).isEqualTo(1);
    }

    private BuildProgress fetched(BuildProgress.Style style) throws Exception {
        var progress = new BuildProgress(caller.session(), style);
        progress.sent(2_000_000, false);
        progress.sent(3_000_000, false);
        progress.on(event("{'event':'resolving','name':'docker.io/library/b:1'}"));
        String about = "{'event':'fetching','name':'docker.io/library/b:1','layer':";
        progress.on(event(about + "'1','status':'Pulling from library/b'}"));
        for (String state : List.of("Waiting','current':0,'total':0", "Downloading','current':1000,'total':4000",
                "Downloading','current':2000,'total':4000")) {
            progress.on(event(about + "'0123456789ab','status':'" + state + "}"));
        }
        return progress;
    }

    @Test
    void whatComesBeforeTheFirstStepIsShown() throws Exception {
        var progress = fetched(BuildProgress.Style.PLAIN);
        progress.on(event("{'event':'fetching','name':'docker.io/library/b:1','layer':'0123456789ab','status':'Pull complete'}"));
        progress.on(event("{'event':'fetched','name':'docker.io/library/b:1','error':''}"));
        progress.sent(3_000_000, true);
        for (var event : events().subList(0, 2)) {
            progress.on(event);
        }
        progress.end();
        assertThat(caller.errors()).isEqualTo("""

                #1 [internal] load build context
                #1 transferring context: 2MB

                #2 [internal] load metadata for docker.io/library/b:1
                #2 resolve docker.io/library/b:1
                #2 0123456789ab Downloading 1kB / 4kB
                #2 0123456789ab Pull complete 0.0s done
                #2 DONE 0.0s
                #1 transferring context: 3MB 0.0s done
                #1 DONE 0.0s

                #3 [1/3] FROM busybox
                #3 CANCELED
                """);
    }

    @Test
    void aTerminalShowsHowFarALayerIs() throws Exception {
        caller.terminal = true;
        fetched(BuildProgress.Style.TTY).end();
        String whole = caller.errors();
        assertThat(whole.substring(whole.lastIndexOf("[+] Building"))).contains(" => => transferring context: 3MB\n",
                " => => 0123456789ab Downloading 2kB / 4kB\n");
    }

    @Test
    void rawJsonHasStatuses() throws Exception {
        fetched(BuildProgress.Style.RAWJSON).end();
        var last = event(caller.errors().lines().toList().getLast()).objects("statuses").getFirst();
        assertThat(last.text("id")).isEqualTo("0123456789ab");
        assertThat(last.text("name")).isEqualTo("Downloading");
        assertThat(last.number("current", 0)).isEqualTo(1000);
        assertThat(last.number("total", 0)).isEqualTo(4000);
    }

    @Test
    void aSmallContextIsNotWorthALine() throws Exception {
        var progress = new BuildProgress(caller.session(), BuildProgress.Style.PLAIN);
        progress.sent(1000, false);
        progress.sent(1000, true);
        progress.end();
        assertThat(caller.errors()).isEmpty();
    }

    @Test
    void anImageThatDoesNotComeIsToldWhy() throws Exception {
        var progress = new BuildProgress(caller.session(), BuildProgress.Style.PLAIN);
        progress.on(event("{'event':'resolving','name':'b:1'}"));
        progress.on(event("{'event':'fetched','name':'b:1','error':'there is none'}"));
        progress.end();
        assertThat(caller.errors()).contains("#1 ERROR: there is none\n").doesNotContain("DONE");
    }

    @Test
    void quietSaysNothing() throws Exception {
        shown(BuildProgress.Style.QUIET).end();
        assertThat(caller.errors()).isEmpty();
    }

    @Test
    void quietSaysWhatAFailedStepPrinted() throws Exception {
        var progress = shown(BuildProgress.Style.QUIET);
        progress.on(event("{'event':'failed','vertex':2,'message':'it broke','exitCode':2}"));
        progress.end();
        assertThat(caller.errors()).startsWith("------\n > [3/3] RUN make:\n0.000 one\n0.000 two").endsWith("\n------\n");
    }

    @Test
    void aFailedStepShowsWhatItPrinted() throws Exception {
        var progress = shown(BuildProgress.Style.PLAIN);
        progress.on(event("{'event':'failed','vertex':2,'message':'it broke','exitCode':2}"));
        progress.end();
        assertThat(caller.errors()).contains("#3 ERROR: it broke\n", "------\n > [3/3] RUN make:\n0.000 one\n0.000 two");
        assertThat(progress.failure()).isPresent();
    }

    @Test
    void whatStillRunsAtTheEndWasCancelled() throws Exception {
        shown(BuildProgress.Style.PLAIN).end();
        assertThat(caller.errors()).endsWith("\n#3 CANCELED\n");
    }

    @Test
    void nothingIsDrawnBehindTheEnd() throws Exception {
        caller.terminal = true;
        var progress = shown(BuildProgress.Style.TTY);
        progress.end();
        assertThat(caller.errors()).contains(" => CANCELED [3/3] RUN make ");
        String whole = caller.errors();
        progress.on(event("{'event':'log','vertex':2,'stream':1,'bytes':''}"));
        progress.end();
        assertThat(caller.errors()).isEqualTo(whole);
    }
}
