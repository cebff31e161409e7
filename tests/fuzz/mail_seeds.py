"""What the target `mail` begins with."""

HEADING = (
    "From: Orders <orders@harbour.example>\r\nTo: 91234567@sms.example.com\r\nMessage-ID: <1@harbour.example>\r\n"
    "Date: Mon, 23 Nov 2026 10:00:00 +0800\r\nSubject: =?big5?B?qrq6uA==?= [at=2026-12-01 09:00] [dncr=0]\r\n"
)
MAILS = (
    f"{HEADING}Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\r\n\r\n"
    "To: 9123 4567, +853 6612 0034\r\n\r\n您訂的 \r\n玫瑰\r\n-- \r\nFlorist\r\n",
    f"{HEADING}Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/html\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>Your=20<b>roses</b><br>&amp;</p>\r\n--a--\r\n",
    f"{HEADING}Content-Type: text/plain; charset=iso-2022-jp\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "GyRCPH4bKEI=\r\n",
    f"{HEADING}Auto-Submitted: auto-replied\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\n"
    "Content-Type: message/rfc822\r\n\r\nFrom: a@b\r\n\r\nx\r\n--b--\r\n",
)
