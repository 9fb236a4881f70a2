# Claim: of injected and smuggled octets, real sendmail and Postfix behind us accept, in the clear and inside, exactly what they accept without us, or less where attacks.py says so, but never more or a part of it (statements 1, 4, 8, 9, 10, 11, 15, 31 and 33)
from kit import xcrypt

from accepted import DIRECT, OURS, HeldMail, Sendmail
from attacks import (CLEAR, CLOSED, COMMANDS, EHLO, INSIDE, NAMES, TEXTS, UNOFFERED, Bytewise,
                     Replies)
from private import enter
from silence import has_more

PAIR = xcrypt.Pair20()      # so that the second session needs no new secret


def say(client, step):
    if isinstance(step, Bytewise):
        for octet in step:
            client.send(bytes((octet,)))
    else:
        client.send(step)


def replies(client, step, answers, last):
    """The lines of the reply to a step; after the last step, the mail server may still wait for more."""
    lines = []
    if isinstance(step, Replies):
        want = step.count_of_replies
    elif step.upper().startswith(b"BDAT") or answers and b"".join(answers[-1][-1:]).startswith(b"354"):
        want = 1
    else:
        want = max(1, step.count(b"\n"))
    while want and (not last and not lines or has_more(client)):
        reply = client.reply()
        if reply is None:
            break
        lines, want = lines + reply.lines, want - 1
    return lines


def session(client, steps, hello=False, suite=None):
    """Runs the attack; returns the replies to each step, up to QUIT, as long as there are any."""
    answers = []
    client.greet()
    if hello:
        client.ehlo("stranger.example")
    if suite:
        client.xcrypt(suite, PAIR)
    for step in steps:
        say(client, step)
        answers.append(replies(client, step, answers, step is steps[-1]))
        if client.eof:
            break
    client.send(b"QUIT\r\n")
    client.finish()
    answers[-1:] = [answers[-1] + client.rest().split(b"\r\n")] if answers else []
    client.close()
    return answers


def play(mailer, address, name, steps, **how):
    try:
        answers = session(mailer.call(address), steps, **how)
    except Exception as why:
        raise AssertionError("%s at %s, %s" % (name, address, how)) from why
    return mailer.taken(), answers


def compare(mailer, attack, way):
    """None, or what is wrong."""
    inside = {"hello": True, "suite": xcrypt.CHACHA} if way == INSIDE else {}
    ours, answers = play(mailer, OURS, attack.name, attack.steps, **inside)
    steps, words = attack.steps, attack.less[way]
    refusals = tuple(x for x in (words, UNOFFERED) if x)
    refused = [any(line.startswith(refusals) for line in lines) for lines in answers]
    if any(refused):
        # a refused command counts as not sent
        left = tuple(step for step, dropped in zip(steps, refused) if not dropped)
        steps = left if attack.as_if is None else attack.as_if
    elif words:
        return "%s: was not refused: %r" % (attack.name, answers)
    # the mail server has got an EHLO in the clear before the one inside
    own, _ = play(mailer, DIRECT, attack.name, steps, hello=bool(inside) and steps[:1] != (EHLO,))
    if words == CLOSED:
        own = own[:len(ours)]
    marks = [taken.marks for taken in ours]
    if max(marks, default=0) > (way == INSIDE):
        return "%s: trace lines: %s: %r" % (attack.name, marks, ours)
    if own == ours:
        return None
    if len(own) == len(ours):
        own, ours = ([x.unlike(y) for x, y in pairs] for pairs in (zip(own, ours), zip(ours, own)))
    return "%s:\n  without us %r\n  with us    %r\n  answers    %r" % (attack.name, own, ours, answers)


def attacked(mailer, way, attacks):
    wrong = list(filter(None, (compare(mailer, attack, way) for attack in attacks)))
    assert not wrong, "%d of %d:\n%s" % (len(wrong), len(attacks), "\n".join(wrong))


def sendmail(w):
    enter(w)
    return Sendmail(w)


def postfix(w, port, how, **more):
    machine = enter(w)
    return HeldMail(w, machine, {"backend": "127.0.0.1:%d" % port, "client-address": how}, **more)


# what later versions have by default
STRICT = {"more": "smtpd_forbid_unauth_pipelining = yes\nsmtpd_forbid_bare_newline = normalize\n"}


def test_sendmail_commands_in_the_clear(w):
    attacked(sendmail(w), CLEAR, COMMANDS)


def test_sendmail_names_in_the_clear(w):
    attacked(sendmail(w), CLEAR, NAMES)


def test_sendmail_texts_in_the_clear(w):
    attacked(sendmail(w), CLEAR, TEXTS)


def test_sendmail_commands_inside(w):
    attacked(sendmail(w), INSIDE, COMMANDS)


def test_sendmail_names_inside(w):
    attacked(sendmail(w), INSIDE, NAMES)


def test_sendmail_texts_inside(w):
    attacked(sendmail(w), INSIDE, TEXTS)


def test_postfix_by_proxy_commands_in_the_clear(w):
    attacked(postfix(w, 10025, "proxy-v2"), CLEAR, COMMANDS)


def test_postfix_by_proxy_names_in_the_clear(w):
    attacked(postfix(w, 10025, "proxy-v2"), CLEAR, NAMES)


def test_postfix_by_proxy_texts_in_the_clear(w):
    attacked(postfix(w, 10025, "proxy-v2"), CLEAR, TEXTS)


def test_postfix_by_proxy_commands_inside(w):
    attacked(postfix(w, 10025, "proxy-v2"), INSIDE, COMMANDS)


def test_postfix_by_proxy_names_inside(w):
    attacked(postfix(w, 10025, "proxy-v2"), INSIDE, NAMES)


def test_postfix_by_proxy_texts_inside(w):
    attacked(postfix(w, 10025, "proxy-v2"), INSIDE, TEXTS)


def test_postfix_by_xclient_commands_in_the_clear(w):
    attacked(postfix(w, 10026, "xclient"), CLEAR, COMMANDS)


def test_postfix_by_xclient_names_in_the_clear(w):
    attacked(postfix(w, 10026, "xclient"), CLEAR, NAMES)


def test_postfix_by_xclient_texts_in_the_clear(w):
    attacked(postfix(w, 10026, "xclient"), CLEAR, TEXTS)


def test_postfix_by_xclient_commands_inside(w):
    attacked(postfix(w, 10026, "xclient"), INSIDE, COMMANDS)


def test_postfix_by_xclient_names_inside(w):
    attacked(postfix(w, 10026, "xclient"), INSIDE, NAMES)


def test_postfix_by_xclient_texts_inside(w):
    attacked(postfix(w, 10026, "xclient"), INSIDE, TEXTS)


def test_strict_postfix_commands_in_the_clear(w):
    attacked(postfix(w, 10025, "proxy-v2", **STRICT), CLEAR, COMMANDS)


def test_strict_postfix_texts_in_the_clear(w):
    attacked(postfix(w, 10025, "proxy-v2", **STRICT), CLEAR, TEXTS)


def test_strict_postfix_commands_inside(w):
    attacked(postfix(w, 10025, "proxy-v2", **STRICT), INSIDE, COMMANDS)


def test_strict_postfix_texts_inside(w):
    attacked(postfix(w, 10025, "proxy-v2", **STRICT), INSIDE, TEXTS)
