import { test } from "node:test";
import { refusesEach } from "../kit/xs-ota";

test("bad input is refused by one clear line and exit code 1", async () => {
  await refusesEach([
    [["fleet", "--devices", "0"], /whole number from 1 to 10000/],
    [["fleet", "--devices", "many"], /whole number/],
    [["fleet", "--fail-share", "1.5"], /share from 0 to 1/],
    [["fleet", "--waves", "50,20,100"], /rising percentages/],
    [["fleet", "--failure-limit", "101"], /percentage from 0 to 100/],
    [["fleet", "--cloud", "http://127.0.0.1:8080"], /belong together/],
    [["fleet", "--cloud", "http://127.0.0.1:8080/x", "--token", "x"], /URL without a path/],
    [["fleet", "--cloud", "http://127.0.0.1:8080", "--token", "/nowhere/at/all"], /can not be read/],
    [["fleet", "--size", "100"], /this image has at least/],
    [["fleet", "--platform", "hawkbit"], /hawkbit needs --server/],
    [["fleet", "--platform", "hawkbit", "--waves", "5,100"], /--waves is not for hawkbit: .* give --groups/],
    [["fleet", "--platform", "thingsboard", "--server", "https://tb.example"], /a fleet needs plain HTTP/],
    [["fleet", "--platform", "static", "--outage", "5"], /--outage is not for static/],
    [["fleet", "--platform", "azure"], /Allowed choices are tencent, /],
  ]);
});
