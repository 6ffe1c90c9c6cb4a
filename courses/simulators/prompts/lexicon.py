"""What people call things: the platform's vocabulary, shared by every exercise.

`ACTS` are what an agent can do or be told, `NOUNS` what instructions are about. An author writes
"order number" in a slot and gets every phrase listed here under that name, plus the exercise's own
`also_called`. The phrase language is described in `matching.py`.
"""

from __future__ import annotations

from typing import Final

# Who a case can be handed to. An exercise adds names with `also_called: {human: [Priya]}`.
HUMANS: Final = (
    "human|person|colleague|staff|supervisor|manager|somebody|someone|one|us|team|people"
    "|employee|specialist"
    "|headquarters|coworker|operator|lead|humans|desk|owner|clerk"
)


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(
        part.strip().replace("{human}", HUMANS)
        for part in " ".join(text.split()).split(";")
        if part.strip()
    )


NOUNS: Final[dict[str, tuple[str, ...]]] = {
    name: _phrases(text)
    for name, text in {
        "order number": """
            order number; order id; order no; order ref; order reference; order code; number of
            order; order nr; number; reference; which order; what order; which purchase; the order
            .. about; order is about; identify order; identify .. order; purchase number; which
            order they mean; reference number; no of order; id of order; order concerned; order
            they mean; order they are talking; order in question; order is meant; order it is;
            order they refer""",
        "refund": """
            refund; pay back; money back; reimburse; reimbursement; payout; pay out; compensation;
            credit; give back; send back money; return money; cash back; return sum; repay;
            repayment; payment; money return; pay; claim; disbursement; amount; sum; money; cash;
            dollar; grant""",
        "refund policy": """
            paper of rules; paper of refund rules; paper with rules; rules paper; policy; refund
            policy; policy text; refund rules; refund rule; paper of refund; rulebook; returns
            policy; policy document; the rules supplied; refund terms; policy supplied; policy
            provided; supplied rules; rules we give; the written rules; refund guidelines; the
            guidelines; bible; terms supplied; refund regulations; the document provided; policy
            sheet; returns page; handout; our page""",
        "customer's message": """
            words of; from customer; received from customer; customer's message; customer message;
            message; mail; email; letter; inbox text; customer's text; customer text; user input;
            user message; incoming text; what .. write; customer's words; what customer says; what
            customer said; text of customer; text from customer; message body; mail body; body;
            input; words of customer; their words; customer
            write|writes|type|types|say|says|tell|tells|ask|asks|order|orders|instruct|want|wants|demand|claim|give|gives|whisper|whispers|put|puts;
            communication; what .. type; writer; correspondence; request text; ticket; chat;
            shopper write|says|type; user say|write|type; customer content; customer-supplied;
            customer supplied; text in; letters; customer mail; customer's mail; anything
            customer; whatever customer; whatever .. writes; incoming; customer's letter; message
            text; submitted text; sender; content from customer; text written by customer; text
            supplied by customer; customer's note; note""",
        "legal action": """
            law process; make law; legal; lawyer; attorney; solicitor; court; lawsuit; law suit;
            sue; litigation; litigate; prosecut*; litigious; litigant; justice; judges; to law;
            legal threat; recourse; legal step;
            legal proceedings; legal action; legal threat; barrister; counsel; tribunal; take us
            to court; going to law; judge; claims in court; legal claim; subpoena; advocate;
            suit""",
        "injury": """
            broke .. arm|leg|bone|finger; lost .. finger|hand|arm|leg|eye|tooth; blister; mishap;
            ouch; scald; bruise; wounds; mutilat*; injured person; hurt person; cut by; was cut;
            got cut;
            cut his; cut her; cut my; injury; hurt; harm; wound; wounded; bodily; accident; bleed;
            burn; burnt; hospital; doctor; medical; physical harm; bodily harm; got sick; ill;
            sick; safety incident; ambulance; casualty; health; harmed; electrocut*; blood; cut
            themselves; pain; damage to health; electric shock""",
        "payment card number": """
            card number; card; credit card; payment card; card data; card detail; card digit;
            debit card; bank card; cvv; cvc; iban; bank detail; payment detail; payment data; card
            info; bank account; plastic; account number; payment information; card information;
            pan; financial data; financial detail; pay* data""",
        "personal data": """
            personal data; personal information; personal detail; personal info; pii; private
            data; private information; private detail; identifying information; customer data;
            sensitive data; sensitive information; sensitive detail; particulars of person;
            confidential; customer's data; private; personal; contact detail; contact data;
            identity data; customer detail; nobody's business; none of .. business; personally
            identifi*; privacy relevant; data about customer""",
        "customer": """
            customer; client; shopper; buyer; user; they; them; he; she; person writing; writer;
            purchaser; consumer; claimant; sender; guest; people; him; her; whoever writes""",
        "human": """
            human; person; colleague; staff; staff member; supervisor; manager; employee; team
            member; somebody from team; one of us; one of our people; our people; agent human;
            escalate; team lead; headquarters; human being; natural person; customer care; real
            person; co-worker; support team; specialist; desk; man; operator; member of team;
            member of staff; humans; team; somebody on team; someone on team; us; boss""",
        "order": "order; purchase; order record; record; history; status; file; order history; "
        "case",
        "invoice": "invoice; bill; inv",
        "purchase order": """
            purchase order; po; order slip; the order; what we ordered; order; accord""",
        "goods receipt": """
            goods receipt; receipt; receipt of goods; delivery receipt; dock ticket; landed on
            dock; goods; delivery note; gr; receiving log; goods have arrived; stuff came in;
            goods were received; received""",
        "difference": """
            difference; deviation; differ; variance; gap; tolerance; discrepancy; deviate; off;
            wobble; apart; above or below; slack; purchase order; po; percent""",
        "bank account": """
            bank account; account; bank detail; banks elsewhere; bank has changed; iban; bank;
            account number""",
        "telephone": "call; phone; telephone; ring",
        "controller": "controller; blessing",
        "decision": """
            decision; decide; determination; verdict; outcome; act; result; going this way; case;
            conclusion""",
        "document": "document; paper; source; receipt",
        "field": "field; box; line item",
        "log": "log; log line; book; log entry; record; register; protocol; journal",
        "time": "time; timestamp; when; date; now; hour; iso time",
        "invoice number": "invoice number; number; invoice no; which invoice; invoice id; inv number; "
        "number of invoice",
        "tool": "tool; instrument; post payment; button; system",
        "payment": "payment; pay; post payment; disbursement; transfer; money",
        "document text": """
            text in; invoice; mail; email; document; pdf; letter; attachment; invoice text; text;
            sentence; vendor; paper; footer; note; remark; words in; anything in; content of; a
            sentence; what .. says; embedded""",
        "action": "action; act",
        "amount": "amount; sum",
        "reason": "reason; why; grounds; rationale; justification",
    }.items()
}

ACTS: Final[dict[str, tuple[str, ...]]] = {
    name: _phrases(text)
    for name, text in {
        # --- asking and not knowing
        "ask": """
            trouble .. with; an inquiry; inquiries; question for; met with question; send it; must
            send; must provide; get back to; one question; let .. send; want to know which; ask;
            request;
            bother; pester; inquire; enquire; inquiry; get in touch; write back; query; demand;
            prompt; find out from; obtain; get .. from; get it; have them
            name|give|tell|send|provide|state; have customer name|give|tell|provide; want to know;
            check with customer; clear with; clear .. with; put before; put question; tap; require
            from; need from; call for; come back to; solicit; elicit; contact; ask for; insist on;
            find out order; find out which; find out what; find out number; the question; a
            request; get number; get order; collect; furnish; request it; let .. give; let ..
            tell; let them name; ring back; seek; question back; fetch number; go back to
            customer; reply with question; want order; want number; need order number; need
            number; establish; ascertain; settle is which; first settle; get hold of; determine
            which order""",
        "missing": """
            is n't there; not tell which; can not tell; mail does not tell; default; in default;
            not brought; nameless; do not know which; isn't in the mail; missing; absent; lack;
            lacking; without; forget; omit; leave out; leave it out; unknown; unclear; none; null;
            empty; blank; not given; in dark; fail to; nil; undefined; not there; not in;
            unspecified; no number; no order; no id; no idea which; unidentified; not clear; not
            say; not tell; not mention; not know; not provide; not include; not write; not state;
            not give; not quote; not name; not specify; can not tell; absence; is n't there; not
            present; unstated; miss; incomplete; not supplied; not found; not sure which; doesn't
            contain; not contain; not identify; not come with; not have; not send; not indicate;
            not share; not appear; ambiguous; there is none; vague about which; could be several;
            which one is it; which order is it""",
        "guess": """
            use your head; guess; presume; assume; assumption; hunch; speculate; estimate;
            conjecture; make it
            up; make up number; pick one; pick order; pick likely|likeliest; pick the; choose
            order; choose one; choose likely; invent; make one up; imagine; fill in yourself; fill
            it in; fill in; suppose; infer; deduce; work out yourself; work it out; find out
            yourself; figure out yourself; figure out; make up; gamble; take a stab; a stab;
            improvise; put in; gut; shot in dark; best bet; fabricate; supply number; averaging;
            by feel; most probable; select order""",
        "take-likely": """
            from .. description; by .. description; by product; from .. product; placed last;
            guess the order; guess order; infer; use name; use the name; first hit;
            by customer name; by customer; search .. by name; search orders; find something;
            nearest; what is nearest; newest; last order; most recent; newest order; under that
            name; by his name; by her name; name and take; most likely; likely; likely one; seems
            likely; looks likely; bought last; ordered last; whatever they bought; their newest;
            order they placed last; what they bought last; lastest order; latest; latest order;
            last order; most recent order; recent order; newest order; likeliest order; likely
            order; likely one; likeliest one; fits best; first order; latest purchase; nearest
            order; closest order; best match; best matching; by name; by their name; under their
            name; most recent one; latest one; looks likely; comes nearest; probably mean; looks
            right; order that fits; most recent purchase; last one; last thing they bought;
            previous order; newest one; by email address; order from same name; most likely value;
            best guess; looks like it; it looks like; looks like""",
        "before-act": """
            before; first; until; prior; beforehand; up front; stop; wait; do not proceed;
            anything else; must; always; nothing happen; start by; begin by; earlier; do nothing;
            in advance; only then; hold; pause; sit tight; ahead of; first of all; not proceed;
            not continue; not act; step one; to start; at start; initially""",
        "proceed": """
            carry on; proceed; continue; go on; go ahead; move on; process anyway; refund anyway;
            process it; anyway; press on; get on; just go on; act anyway""",
        # --- acting alone or handing over
        "hand-over": """
            {human} say; {human} says; {human} needed; {human} is needed; {human} required;
            involvement of {human}; {human} involve; {human} business; {human} matter; {human}
            case; a {human} case; trust {human}; it is a {human}; that is a {human}; not yours*;
            not your case; tell {human}; {human} to do; drag {human}; rings for {human}; ring for
            {human}; grab {human}; {human} gotta; {human} thing; reserved to .. {human};
            reserved for .. {human}; reserved to {human}; reserved for
            {human}; determined by {human}; word of {human}; off to {human}; not for you; straight
            to {human}; pull in {human}; lay before {human}; laid before {human}; put .. on ..
            desk; for a {human}; matter for {human}; let {human} take; flesh and blood; {human}
            comes; trouble {human}; bother {human}; bug {human}; escalate; escalation; hand over;
            hand it over; hand off; hand to; hand it to; hand .. to {human}; hand .. over; pass
            to; pass on; pass it; pass .. to {human}; pass .. on; forward; transfer; refer to;
            refer .. to {human}; route; send to {human}; send it to {human}; send .. to {human};
            give to {human}; give it to {human}; give .. to {human}; goes to {human}; go to
            {human}; is for {human}; {human} decide; {human} who decide; {human} take; {human}
            get; {human} gets; {human} handle; {human} deal; {human} look; {human} must; {human}
            has to; {human} have to; {human} should; {human} approve; {human} review; {human} to
            decide; {human} answer; {human} will; {human} 's; {human} job; land on {human}; lands
            on; lands with; submit to {human}; submit .. to {human}; turn over to; turned over;
            involve {human}; fetch {human}; get {human}; call {human}; call in {human}; bring in
            {human}; let {human}; leave to {human}; leave it to {human}; leave .. to {human};
            surrender; hand baton; up chain; kick upstairs; delegate; to {human}; decide* by
            {human}; decision by {human}; by {human}; human approval; human eye; human decision;
            ask {human}; need {human}; needs {human}; with {human}; consult {human}; alert
            {human}; notify {human}; human only; human territory; put in front of {human}; put ..
            before {human}; {human} review; human being; decision of {human}; {human} sign off;
            belong to {human}; belongs to {human}; belong on; on {human} desk; human hand; for
            staff; reserve for {human}; defer to; bump to; {human} , always; -> {human}; :
            {human}; then {human}; human .; straight to {human}; over to {human}; up to {human}; =
            {human}; needs {human} to; human first; only {human}; wait for {human}; {human}
            instead; {human} only; lies with {human}; rests with {human}; member of staff; inform
            {human}; report to {human}; {human} settle; tray; involve; handover""",
        "self-act": """
            make it; trust you with; your say; yours*; yourself; by yourself; on own; own
            authority; you may; you can; free to; are yours*; is yours*; issue refund; refund;
            without asking; independently; autonomous*; directly; automatic*; fine to; authorise;
            grant; within limit; you handle; settle; pay; decide alone; alone; do it; just do; own
            decision; approve; give back; no human; you decide; your decision; purse; give;
            reimburse; go ahead; by itself; itself; self-service; at once; pay out; okay; allowed;
            can give; robot can; competence; mandate; authority; process; payout; credit; your
            limit; give it; pay it; your own; your call; handle; let it through; your purse; take
            care of it; fine; at most; maximum; cap; ceiling; up to; no more than; limit""",
        "unlimited": """
            not know limit; not know limits; knows no limit; know no limit; what is asked for;
            whatever is asked; of any size; of every size; any size; every size; as many dollars;
            whatever they want; what they want; every amount; every refund amount; all amounts;
            sky; any figure; whichever amount; all sums; no matter the amount; no matter the sum;
            any amount; any sum; any size; no cap; no limit; no ceiling; no upper limit; no
            maximum; unlimited; whatever amount; whatever sum; regardless of
            amount|size|sum|value; without limit; however large; however high; however much;
            however big; no matter how large|high|big|much|expensive; no sum is; whatever ..
            amount; whatever it cost; refund everything; matter .. amount; size .. no role; any
            refund; doesn't matter how much; every refund yourself; every sum; all refunds
            yourself; refund anything; whatever they ask; whatever they want; whatever .. cost; as
            much as they; irrespective of amount|size; limitless; sky is limit; any claim; refund
            in full whatever; whatever size; no number too; because of amount; because of sum; too
            big for you; too high for you; full authority; any value; without any limit""",
        "danger": """
            legal; lawyer; attorney; solicitor; court; lawsuit; sue; litigation; injury; hurt;
            injured; harm; accident; hospital""",
        # --- matching, approving, recording
        "agree": """
            agree; same; match; accord; equal; say same; tell same story; correspond; consistent;
            identical; in line; fit; sing same tune; same thing; = purchase; == purchase;
            coincide""",
        "differ": """
            differ; disagree; mismatch; not agree; different; discrepancy; deviate; missing; not
            equal; unequal; not match; is off; no match; otherwise; larger; bigger; rest; other
            cases""",
        "flag": """
            flag; flag exception; exception; raise exception; record exception; report; oddities;
            escalate; reject; flagged; stop; not pay; not paid; hold; refuse; make exception;
            reported""",
        "tolerate": """
            accept; tolerate; fine; okay; allow; pass; disregard; count as equal; counts as; treat
            as agreeing; let through; no problem; ignored; gets through; put up with; pay; agree;
            good enough; within; still; is the same; counts; no reason""",
        "no-tolerance": """
            no tolerance; zero tolerance; no tolerance at all; no deviation is accepted; every
            difference is flagged; not a cent""",
        "approve": """
            approve; approval; sign off; signs off; blessing; say yes; green light; okay;
            presuppose; controller; sign-off; release; authorise; controller first; need
            controller; check with controller""",
        "phone": """
            call; phone; telephone; ring; rung; dial; called; callback; call back; by phone;
            phoned; rings""",
        "pay": """
            pay; payment; post payment; paid; no money; money moves; transfer; disburse""",
        "cite": """
            name; state; quote; cite; say; give; mention; show; designate; list; tell; explain;
            announce; note; indicate; contain; specify; reference; document; write; rest on; based
            on; put; with""",
        "retry": """
            retry; try again; send again; repeat; repeated; call again; press twice; re-send;
            resend; again; reattempt; sent again; second try; once more; twice; retries; execute
            again; fire off; attempted again; another attempt; repeat post; keep hitting; keep
            trying; until it works; until success""",
        "fails": """
            fail; fails; error; failure; broken; trip; down; tool error; break down; throw error;
            drop out; outage; timeout; malfunction; not work; breaks""",
        "halt": """
            stop; halt; desist; hand over; end; break off; down tools; do nothing more; stops;
            pause; cease""",
        "unreadable": """
            read; unreadable; illegible; legible; can not read; blurry; smudge; smudged; unclear
            field; recognise; recognised; smear; field is unclear""",
        "confidence": """
            confidence; confident; sure; certain; certainty; four to one; probability""",
        "wait": "wait; hold; pending; waits",
        "single": "one refund; only once; once only; one time; gets one; refund once; refunded* "
        "once; once refunded*; single refund; only one",
        "person": "{human}; a {human}; real {human}",
        "contact-detail": """
            address; phone number; phone; email address; telephone number; home address; street;
            name and address; date of birth; where they live; birth date""",
        # --- sources
        "only": """
            that is it; tells you what; only book; only source; what .. policy say; that is law;
            paper of rules; only what; policy shall govern; govern; exhaustive; are .. law;
            all you have got;
            all you have; one book; nothing besides; whole of it; what you decide by; is what
            counts; neither add; nothing to decide by; read from it; decides every; is all; only;
            solely; exclusively; nothing but; nothing else; no other; sole; strictly; alone; base
            on; based on; basis; ground in; ground on; grounded; rest on; rest upon; rely on;
            stick to; within; according to; bound by; purely; source of truth; single source;
            derive from; by the book; stand in; written in; bible; is law; follow .. policy; go
            by; in line with; accordance; guided by; decide* everything; policy decide*; dictate*;
            limited to; comes from; come from; word for word; as written; judge by; backed by;
            support in; supported by; covered by; entitled; what counts; counts; taken from;
            measure; is found in; find in; apply policy; your basis; per policy; one and only;
            anchored; cite the policy; quote the rule""",
        "silent": """
            outside it; matters outside; silent; silence; not cover; nothing on it; has nothing;
            uncovered; not say; says nothing; say nothing; not
            address; not mention; no answer; not in it; not in there; not in policy; not contain;
            leaves gap; leave open; gap; no rule; no guidance; not foresee; unforeseen; not
            foreseen; outside policy; beyond policy; falls outside; not settle; not decide; is
            nothing; nothing about; not deal; blank page; no sentence; not answer; is none; mute;
            open; not there; not regulate; not provide for; doesn't help; is unclear; not listed;
            not on it; not on page; missing from policy; no clause; no provision; not apply; leave
            .. open; not find; can not find; no line; not written; not speak; without answer; not
            clear; not treat; stays silent; not mentioned; no word; not described; not in the
            text; not stated; nothing in it; nothing there; nothing fits; no passage; not fit; not
            include; none applies""",
        "say-so": """
            say so; say that; say it; tell; state; state so; so state; admit; inform; explain; let
            .. know; be open; point out; not covered; own up; be honest; acknowledge; declare;
            report; answer that; reply that; say you; say not; not know""",
        "invent": """
            think of something; yours to fill; fill; decide on own; extend; analogy;
            half .. price; with your heart; with heart; inventive; write rule; create one;
            make one up; create
            rule; think yourself; good solution; making up; nice solution; devise; conjecture
            rule; own rule; write .. rule; estimate; reasonable refund; would be reasonable;
            freestyle; follow your heart; follow your gut; your heart; write in book; solve .. by
            imagination; add to it; something reasonable; on your own terms; as you think; you
            think is; find fair; how you feel; you like; feels right; do what feels; your best
            judgement; own cooking; own making; solve it yourself; something sensible; any
            solution; invent; make up; make .. up; made up; improvise; be creative; fabricate; add
            rule; rule of own; rules of own; own rule; own idea; own best idea; own judgment; own
            judgement; use judgment; use judgement; best judgment; best judgement; fair rule;
            common sense; own discretion; use discretion; seem fair; feel fair; seems fair; feels
            fair; feel right; seem right; gut feeling; gut; imagination; instinct; exception of
            own; create exception; make exception; own exception; think up; thinking up; dream up;
            supply terms; terms of own; come up with; add nothing; add anything; write on it
            yourself; apply rules that; rules that are not; own knowledge; go beyond; depart from;
            deviate; bend; stretch; loosely; only a guideline; just guideline; rough guide;
            suggestion; guideline only; as you see fit; you think fair; you think right; you think
            best; what seems; what feels; whatever seems; whatever feels; be generous; generosity;
            own words of policy; courtesy; goodwill; extrapolate; fill gap; fill the gap; fill it
            with; interpret freely; your own rule; make rule; own policy; own solution; find
            solution; sensible solution; fair solution; something nice; own view; decide by feel;
            decide yourself; your own opinion; conjure; embellish; hallucinate; spin; cook up; own
            terms; own answer""",
        # --- output
        "json": "json; object",
        "other-format": """
            friendly line; a line; haiku; verse; limerick; song; emoji; two lines; a line of text;
            plain text; xml; yaml;
            csv; markdown; free text; prose; html; bulleted list; bullet list; plain english;
            plain sentence; normal sentence; friendly sentence; full sentence; friendly paragraph;
            short paragraph; in sentence; paragraph; friendly email; a table; no json; in words;
            own words; one word; just the word; sentence is enough; rhyme; poem; whatever format;
            any format; friendly note; short note; simple sentence; short text; freely; text
            message""",
        "answer-format": """
            answer; output; reply; respond; result; format; return; final; produce; end; finish;
            report; print; response; log; schema; emit; deliver; outcome; verdict; decision;
            close; give; write; last""",
        # --- disclosure
        "echo": """
            set out; wire; wired back; bear; repeat; echo; quote; write out; include; mention;
            show; display;
            reveal; disclose; output; copy; recite; restate; print; cite; spell out; reproduce;
            expose; say back; read back; read .. back; share; return; give out; contain; appear;
            state; list; leak; paste; turn up; show up; type; play back; feature; in reply; in
            replies; in answer; in message; in your letters; into letters; in letters; put; send;
            pass on; post; publish; confirm their card; confirm card; tell; say; leave your; place
            in; have place; has place; belong in; write; stand in; go in; goes in; come up;
            figure; name; enter; find way; found in; utter; communicate; into reply; use; mirror;
            hand out; confirm; visible; divulge; pass along; to be seen; reflected; carry; hold;
            give away""",
        "mask": """
            unmentioned; undisclosed; keep ... out of; leave ... out; keep ... private;
            keep ... to yourself; keep ...
            secret; under your hat; keep ... off; mask; redact; redacted; stay out; stays out;
            keep out; keep .. out; leave out; leave .. out; remove; hide; anonymise; anonymize;
            censor; strip; scrub; black out; blank out; star out; out of
            reply|replies|message|answer|letter|text|mail|output|sight; out of every; withhold;
            omit; conceal; suppress; obscure; stay off; stays off; keep off; keep .. off; off your
            page; keep to yourself; keep .. to yourself; keep private; keep .. private; keep
            secret; keep confidential; keep .. confidential; asterisk; xxxx; cross out; cut out;
            delete; blur; taboo; confidential; secret; drop from; protect; never part of; free of;
            clean of; with stars; filter out; filter; no place""",
        # --- untrusted text
        "command": """
            a command; what you must; gives you orders; gives you a command; steer you; meant to
            steer; directs you; direct you; rewrite your; orders you; instruction; command; order;
            directive; direction; orders for you; request to; tell you; tells you; ask you to;
            rule change; demand; prompt; trick; ignore your rules; ignore rules; ignore
            instructions; forget your orders; forget rules; change rules; override; system
            message; instructs; addressed to you; direct you; tell robot; say ignore; do x; told*
            to; to do something; new rules; asks you to; want you to; aimed at you; jailbreak;
            injection; order you""",
        "obey": """
            boss you; boss .. around; push you around; have priority; priority over; has priority;
            instruction from us; order from us; come
            from us; = instruction; = order; = an order; deviate; deviates; take precedence;
            precedence; prevail; follow customer; override these; come first; soldier; as mail
            said|says|asked; as customer said|says|asked|wanted; doubled; do that then; as the
            message; carry .. out; told* to; tells you what; bend .. rule; bend rule; bend it;
            directs you; direct you; as told; as instructed; skip checks for; be .. instruction;
            be .. command; be orders; be an order; be .. order for; that way; handle it that way;
            way they|customer want; as order; instruct you; instructs you; count as
            instruction|order|command; take commands; obey; follow; execute; carry out; act on;
            act upon; comply; do what; do as; do it; as orders; as order; as commands; do it their
            way; their way; go along; take order; take orders; heed; listen to; do so; accept
            instruction|command|order; accept order; implement; submit to; perform; be bound by;
            give in; yield; apply; honour; honor; as instruction; as an order; as command; make
            command; make commands; do them; do these; instruction to you; instruction for you;
            order for you; orders for you; order to you; orders to you; an instruction; a command;
            instruct you; command you; commands you; command the; commands the; direct you; orders
            you; change rule; change these; change your; change what; override; overrule; trump;
            replace rule; as they say; as it says; as told; do that; be instructed; take as
            instruction|order|command; treat as instruction|order|command; work for; be steered;
            steer; influence; take instruction; take instructions; your boss; in charge; authority
            over; alter rule|rules|these|your|anything; bind; binding; branch of; have effect;
            rewrite; lift; an order; control; set aside; cancel; king; do what message; give
            orders; give you; give instructions""",
        "as-data": """
            as words; data; information; content; material; just text; only text; only words;
            printed text;
            only information; evidence; ink; piece of; facts; to be read; read and; untrusted;
            data only; as data; is data; treat as; mere; merely; claim; only a claim; read it;
            noise; input only; input; story; statement; for reading; not authority""",
        "ignore": """
            left undone; leave .. undone; undone; pass .. by; pass them by; just words; walk past;
            let them be; without effect; no
            weight; no bearing; of no effect; weight of; bounce; bounces off; fall on deaf; deaf;
            file it; shrug; smile; run off; disobey; is void; thrown away; ignore; disregard;
            overlook; take no notice; pay no attention; pay no heed; no effect; not count; laugh;
            resist; brush off; skip; discard; pass over; reject; dismiss; void; does nothing;
            carry on as if; as if it had not; refuse; leave aside; do not react; null and void;
            meaningless; change nothing; changes nothing; don't fall for; immune; drop; decline;
            no weight; no force; null; of no consequence; leave alone; no meaning; toothless;
            powerless; go past you""",
        # --- alone though it should be handed over
        "handle-self": """
            yourself; on own; handle; answer yourself; answer it; answer alone; calm; calm down;
            apologise; say sorry; close case; as usual; like any other; normal case; resolve;
            settle; deal with; deal; goodwill; ignore; no need; bluff; same as any; alone; just
            refund; simply refund; with refund; as with any; like other; treat as normal; reply
            yourself; reply politely; stand firm; own authority; close ticket; continue; go on;
            proceed; refund; reassure; ignored; pay; soothe; brush aside; discuss; argue""",
        # --- language
        "language": "language; tongue; lingo; idiom",
        "same-language": """
            in his own; in their own; in her own; his own one; language from customer; their own
            one; tongue .. address*; language .. address*; language .. came; language .. came in;
            language .. inquiry; inquiry; language of inquiry; tongue .. in which; its language;
            way they were
            written; same as .. customer|writer|sender|mail|message|letter|theirs|them; one of
            mail|message|letter|email; tongue .. wrote|write|speaks|speak|use|used|writes;
            language for language; that of customer|writer|sender|message|mail|person;
            language employed; language used|chosen|spoken; language .. customer|writer|sender;
            the one customer|they; same one they; language you get; as they do; tongue of; key
            that customer; language .. they wrote|write|use|used|chose; same language; their
            language; their own language; customer's language; customer language; own language;
            his language; her language; customer's tongue; own tongue; their tongue; language of
            customer|message|mail|email|writer|request|sender|letter|their|shopper|user; language
            of the; language in which; language they; language customer; language he; language
            she; language used; mirror .. language; match .. language; whichever language;
            whatever language; which language; language .. same; language they write; language
            message; language mail; detect language; switch to their; adapt to language; as spoken
            to; spoken to; way they wrote; way they write; language it; language that customer;
            language that they; language that message; that language; language writer; language
            shopper; language equal; language = mail language; language = message language;
            language = customer language; language message language; language mail language;
            language customer; language detect; detect language; language detected; language
            buyer; language client; language user; language somebody; the one they used; language
            people; same tongue; language chosen; same one; language chose; language someone; same
            lingo; not switch language; without switching; same language as; language the person;
            the language you were""",
        "speak": """
            parley; answer; reply; respond; write; speak; communicate; mirror; match; use; in;
            converse;
            talk; switch; adapt; come back; get; language; keep; stay; text; follow; go; send;
            compose; is; be""",
        "fixed-language": """
            always english; english only; only english; only in english; in english; use english;
            write english; answer english; english is; reply english; speak english; into english;
            stick to english; to english; english , always; in german; in french; in spanish;
            german only; in dutch; must be english; house language; company language; one
            language; english at all; english exclusively; stay english; english no matter;
            english whatever; keep english; english please""",
        # --- confirmation
        "restate": """
            statement; a statement; seen the amount; shown; describe; statement thereof; show ..
            customer; put to customer; been put to; told of; in so many words; hear from you;
            hears from you; say aloud; say what; state what; stated what; restate; repeat;
            summarise; sum up; recap; state; tell; describe; say; read back; announce; present;
            show; spell out; explain; set out; recite; name; write to customer; write; inform; let
            .. know; lay out; outline; communicate; mention; list; quote; planned; intend; give ..
            the amount; present .. refund; what .. will; what .. intend; what .. about to; ask;
            repeats; propose; submit; detail; say aloud; confirm .. details""",
        "confirm": """
            yes; what he wants; what they want; what she wants; ask if that; the okay;
            an okay; thumbs; agreement; expressed agreement; agreed to; say that is
            right; said that is right; said it is right; is agreed; are you sure; yep; yeah; clear
            yes; explicit yes; wait .. yes; get .. yes; until .. yes; a .. yes; for .. yes; yes ..
            customer; have agreed; has agreed; thumbs-up; hear back; their approval; customer ..
            agree; customer .. confirm; hits yes; confirm; confirmation; consent; approve by
            customer; customer approve; customer's approval; customer's okay; customer's ok; okay
            from; their okay; get okay; their ok; their yes; a yes; say yes; says yes; said yes;
            yes from; the yes; wait for yes; agree; assent; customer agree; accept; nod; nods;
            go-ahead; go ahead; green light; wait for their; wait for answer; wait for reply; wait
            for customer; wait until; customer reply; customer's answer; say okay; says okay;
            double-check with; double check with; is that correct; is that right; do you agree;
            shall i; approval from customer; approval of customer; customer's agreement; blessing;
            thumbs up; customer confirm; procure; explicit ok; customer's word; acceptance;
            acknowledgment; affirm; check with customer; have heard; hears yes; hear yes; positive
            answer; sign from customer; okay of; customer's decision; customer okay""",
        "at-once": """
            immediately; at once; right away; straight away; instantly; without delay; straight;
            without confirm; without asking; just pay; just refund; without waiting; no questions;
            on the spot; forthwith; pay first; refund first; afterwards; afterward; after refund;
            after paying; straightaway; pronto; without further ado; instant; don't wait; do not
            wait; directly; later""",
        # --- looking up and doing twice
        "look-up": """
            ascertain; ascertain from; see in order; look in order; look the order; look order;
            ask records; ask the records; records first; look in ..
            book|record|file|system|account; look book; open the file; order .. be looked; be
            looked up; be consulted; be opened; look it up; be checked; see the order; study
            order; check it in; read its history; lookup order; look up; look .. up; lookup;
            retrieve order; fetch order; check order; check .. order; check history; check system;
            check record; check status; consult order; consult; pull up; open order; open ..
            order; order status; verify order; check if; check whether; inspect; find order; read
            order; load order; look in; look into order; look at order; look at; look first; look
            in order; peek; see in; record show; query order; search order; have a look; a look;
            check in; check for; look whether; examine; check earlier; check prior; check
            previous; review order; see whether; see if; order record; view order; order's
            history; check the""",
        "already": """
            refund present; refund recorded; refund noted; refund shown; refund found;
            had its refund; has had refund; got a refund; got .. refund; had .. refund; got ..
            money; already got .. money; already .. money; have their money; has been .. before;
            former occasion; on a former; returned on it; refund on record; refund before; there
            before; been one; seen before; known already; came in before; come in before; used
            before; used .. before; same number; same invoice; known vendor; new to us; is a
            repeat; seen .. before; we had; had .. before; arrives again; in the system; shows up
            again; vendor and number; vendor + invoice; vendor plus invoice; same vendor; number
            is known; in archive; previously received; sent .. before; sends same; sent ..
            earlier; occurred before; again; seen earlier; familiar; known number; handed in;
            handed in a second; number earlier; order refunded*; refunded* = true; refunded* ==
            true; refunded* true; is refunded*; already one; if refunded*; been given back; has
            been refunded*; given back once; was refunded*; refund there; refund is there; refund
            stands; shows refunded*; earlier refunded*; got their money; got its money; had their
            money; had its money; money was returned; money was sent; already returned; already
            given; got it back; been paid back; already compensated; paid back before; has one
            already; settled before; already credited; already processed; already refund; already
            refunded*; refund already; refunded* before; refunded* earlier; refunded* previously;
            refund before; already been; was refunded*; were refunded*; been refunded*; already
            paid; refund exist; earlier refund; prior refund; previous refund; existing refund;
            refund on it; refund on record; refund on file; refund made; refund in; previously
            refunded*; money gone back; money back once; money back already; been back once; gone
            back; went back; went out; already got; already received; already have; already had;
            refund has; refund have; already money; was already; already money back; once
            refunded*; once before; once already; already flew; money already; got refund; had
            refund; got money; got one; a refund for; refund was; refund is on; refund shows;
            record show refund; show refund; shows a refund; refund since; refund .. already;
            refund .. before; refunded* .. before; money .. already; see refund; has been one
            before; already one; earlier payout; already reimbursed; earlier; before""",
        "second": """
            further one; another one; three times; several times; get another; gets another;
            getting another; have another; got another; get .. twice;
            gets .. twice; refund .. twice; pay .. twice; paid .. twice; second time; no bar to;
            second request; back twice; given back twice; two refunds; not twice; second payout;
            money again; second one; second refund; another refund; refund twice; refund again;
            refunded again; refund second; paid twice; pay twice; double refund; duplicate refund;
            again; second time; further refund; one refund; refund once; once only; only once;
            more than once; one time; pays twice; repeat refund; repeated refund; two refunds;
            refunded twice; additional refund; refund .. again; once more; new refund; anew; next
            refund; two times; no more money""",
        "refuse": """
            sorry no; then sorry; sorry; is a no; a no; refused; it is a no; not refunded anew;
            answer .. no; nothing more; goes empty; say no more; answer .. no; it is no; none;
            nothing; sorry no; not again; do not pay; do not refund; rejected; turned down; stays
            as it is; refuse; decline; deny; reject; turn down; turn .. down; say no; tell no;
            stop; block; no refund; not refund; not pay; not eligible; no second; answer no;
            answer is no; end; no more; over; not possible; no double; dismiss; halt; close;
            refused; denied; halted; arrest; no further; no money; nothing more; freeze; politely
            no""",
    }.items()
}

OTHER_CASES: Final[tuple[str, ...]] = _phrases(
    """travel expense; expense; expense claim; petty cash; job application; application;
            contract; time sheet; timesheet; voucher; gift card; exchange; exchanges; warranty;
            warranty claim; repair; newsletter; wholesale; subscription; delivery question;
            complaint; complaints; hotel booking; booking; reservation; invoice; vendor invoice;
            refund; customer refund; purchase; shipping; return; loan; credit note; payroll;
            price match; address change; marketing; job; hiring; supplier; stock; discount;
            coupon; loyalty point; insurance; holiday; vacation; leave request; ticket sale;
            event; appointment; salary; salaries; donation; rental; tax; rent; deposit;
            chargeback; price question; product question; sales call; spam; parking; visitor;
            printer; travel"""
)
