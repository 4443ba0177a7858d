svtree: дерево служб для хоста с локальными языковыми моделями
==============================================================

svtree держит живыми `ollama serve`, сервер MLX, контейнеры Docker, которые
делают работу, и всё, что за ними смотрит, — на Mac Studio или на машине с
Linux. launchd или systemd запускает одно задание, сам svtree; всё остальное —
службы под ним: каталог с файлом `service.conf` или со скриптом `run`, как в
runit и s6.

 * Упавшее поднимается за миллисекунды, зависшее — за окно проверки; занятое
   не трогается.
 * Убейте сам svtree сигналом KILL: все службы работают дальше, следующий
   svtree принимает их.
 * Что остановил человек, то стоит: его не поднимут ни таймер, ни
   восстановление, ни новый svtree; отключённое не поднимется и после
   перезагрузки.
 * `svctl status` говорит о каждой службе, что надо, что есть, почему, с каких
   пор и что будет дальше.
 * Журналы ограничены в размере и не теряют строк при перезапусках.

Зачем ещё один? В стеке, для которого он написан, один и тот же сервер MLX
перезапускали четыре скрипта и убивали друг друга по номеру порта;
восстановление начиналось с `pkill -f ollama` и кончалось, если лежал Docker; а
проверка оставалась зелёной, когда мертво было всё. Обычные супервизоры знают о
процессах, но не о том, отвечает ли модель, чьи у неё файлы и почему контейнер
умер с кодом 137. svtree знает, а в остальном он так же мал, как они.


Пять минут
----------

    $ ./dev run

ставит недостающее (Debian: apt-get; macOS: brew), собирает и запускает всё
дерево здесь же, в build/run-tree, от вашего имени. Если настоящих Ollama или
MLX на машине нет, их место занимает имитация, и об этом сказано. На экране —
дерево, вживую. Во втором терминале:

    $ export SVTREE_RUN=$PWD/build/run-tree/run
    $ build/svctl wait --healthy
    $ build/svctl
    SERVICE            STATE      HEALTH       FOR  RESTARTS      PID  WHY
    health-monitor     UP         ok          3.3s         0    15501
    mlx                UP         ok          3.4s         0    15502
    ollama             UP         ok          3.4s         0    15505
    oom-watcher        UP         ok          3.3s         0    15506  memory 7 % used, swap 0 MiB
    recover            DOWN       -           3.4s         0        -
    recovery-listener  UP         ok          3.3s         0    15511
    svlog              UP         -           3.3s         0    15513

Теперь сломайте что-нибудь (`kill -9` с номером процесса делает то же самое):

    $ build/svctl signal KILL ollama
    $ build/svctl status ollama
    ollama - Ollama
             is: UP for 3.0 s (since 2026-11-24 17:51:37)
         wanted: up
         health: ok: GET /api/tags: 200 in 3 ms, 2 models
        process: 16424 (ollama)
      its group: memory 2.3 MiB, CPU 0.0 s
           port: 11434, held by itself (pid 16424, ollama, user 0)
       restarts: 1
      last exit: SIGKILL, 3.1 s ago
       incident: 3.1 s ago: killed by SIGKILL
     definition: /home/me/build/run-tree/services/ollama/service.conf
    ...

Она вернулась раньше, чем вы набрали вторую строку. Теперь пусть зависнет:
соединения принимает, не отвечает ни на одно (так умеет имитация).

    $ curl -so /dev/null -d '{"fault":"hang"}' http://127.0.0.1:11434/_standin

Не позже чем через двадцать секунд это найдено и исправлено, о чём и сказано:

    $ build/svctl status ollama
    ollama - Ollama
             is: UP for 7.5 s (since 2026-11-24 17:51:57)
         wanted: up
         health: ok: GET /api/tags: 200 in 0 ms, 2 models
           says: restarted: hung: no answer to GET /api/tags within 3 s, 3 times
        process: 23437 (ollama)
      its group: memory 2.1 MiB, CPU 0.0 s
           port: 11434, held by itself (pid 23437, ollama, user 0)
       restarts: 2
      last exit: code 2, 7.9 s ago
       incident: 7.4 s ago: healed by a restart after 9496 ms: hung: no answer to GET /api/tags within 3 s, 3 times
     definition: /home/me/build/run-tree/services/ollama/service.conf
    ...

Велите одной службе стоять, попросите о восстановлении — и ваше слово в силе:

    $ build/svctl stop mlx
    $ build/svctl recover
    health-monitor: up, ok
    mlx: not wanted up, so it is left alone
    oom-watcher: up, ok
    svlog: up
    ollama: answers
    recovery-listener: answers
    verdict: healthy: 5 of 5 wanted are healthy (0.1 s)
    $ build/svctl explain mlx
    mlx is DOWN for 3.2 s because nobody wants it up: stopped on request
    You can: to have it up: svctl start mlx

Поставьте на место работающего svtree другой; службы останутся теми же
процессами:

    $ build/svctl upgrade
    supervisor is svtree 0.1.0 now

Ctrl-C в первом терминале останавливает всё по порядку.


Установка
---------

    ./dev deps                  # или руками: см. doc/install.md
    autoreconf -i && ./configure && make && make check && sudo make install

svtree, svctl и svlog попадут в bin, программы служб — в libexec/svtree, примеры
служб — в share/svtree/services. Нужные вашей машине скопируйте в
/etc/svtree/services (для своего дерева — в ~/.svtree/services), просмотрите и:

    svctl check                 # все ошибки, с файлом и строкой
    svtree                      # в терминале; потом ровно это же
                                # запускает launchd или systemd


Служба
------

    /etc/svtree/services/ollama/service.conf

    [service]
    description = Ollama, от имени хозяина моделей
    exec = port-guard 11434 -- ollama serve
    user = owner-of:/Users/Shared/ollama/models
    [environment]
    OLLAMA_HOST = 127.0.0.1:11434
    [health]
    type = ollama
    url = http://127.0.0.1:11434

Или скрипт `run`, как для runit. Все ключи — в svtree.conf(5), коротко их
печатает `svctl keys`.


Что читать дальше
-----------------

    doc/operator.ru.md      руководство оператора, по-русски
    README                  то же, что здесь, и сравнение с другими
    doc/install.md          сборка, установка, systemd, launchd
    doc/troubleshooting.md  что делать, по симптомам
    doc/macos.md            что собиралось и что не запускалось на Mac
    svtree(8) svctl(1) svlog(8) svtree.conf(5)      страницы руководства


Лицензия: ISC, см. LICENSE.
